//! In accounts that ask for it, a cluster has a control plane of its own. EKS says where it is as soon as it answers, and not before.

use super::Rule;
use crate::answer::{Answer, json_of, replace_body};
use crate::call::Call;
use crate::control_plane::{ControlPlane, Place};
use crate::world::World;
use serde_json::{Value, json};

pub struct ControlPlanes;

impl Rule for ControlPlanes {
    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        let creates = match call.name().as_str() {
            "eks:CreateCluster" => true,
            "eks:DescribeCluster" => false,
            _ => return,
        };
        let Some(mut body) = json_of(answer).filter(|_| answer.status().is_success()) else { return };
        let Some(place) = place(&body["cluster"], call, world) else { return };
        if creates && world.account(&call.access_key).kubernetes {
            world.control_planes.entry(place.clone()).or_insert(None);
        }
        if let Some(control_plane) = world.control_planes.get(&place) {
            show(&mut body["cluster"], control_plane.as_ref(), call.is_through_nat());
            replace_body(answer, body.to_string());
        }
    }
}

fn place(cluster: &Value, call: &Call, world: &World) -> Option<Place> {
    let (account, region) = (world.number(&call.access_key).to_owned(), call.region.clone());
    Some(Place { account, region, cluster: cluster["name"].as_str()?.to_owned() })
}

/// As long as a cluster is being created, EKS tells neither endpoint nor certificate authority.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html>
fn show(cluster: &mut Value, control_plane: Option<&ControlPlane>, is_through_nat: bool) {
    if control_plane.is_none() && cluster["status"] == "ACTIVE" {
        cluster["status"] = json!("CREATING");
    }
    let told = control_plane.filter(|_| cluster["status"] != "CREATING");
    let endpoint = told.map(|there| if is_through_nat { &there.endpoint_through_nat } else { &there.endpoint });
    cluster["endpoint"] = json!(endpoint);
    cluster["certificateAuthority"] = told.map_or(json!({}), |there| json!({"data": there.certificate_authority}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_control_plane_is_depends_on_whether_it_answers_and_on_who_asks() {
        let of = Place { account: "222222222222".into(), region: "us-west-2".into(), cluster: "c".into() };
        let answering = ControlPlane {
            of,
            endpoint: "https://127.0.0.1:1".into(),
            endpoint_through_nat: "https://127.0.0.1:2".into(),
            certificate_authority: "Q0E=".into(),
        };
        for (status, control_plane, is_through_nat, expected, why) in [
            ("CREATING", None, false, json!(["CREATING", null, null]), "neither EKS nor the server is done"),
            ("CREATING", Some(&answering), false, json!(["CREATING", null, null]), "EKS is not done"),
            ("ACTIVE", None, false, json!(["CREATING", null, null]), "the server is not done"),
            ("ACTIVE", Some(&answering), false, json!(["ACTIVE", "https://127.0.0.1:1", "Q0E="]), "the internet"),
            ("ACTIVE", Some(&answering), true, json!(["ACTIVE", "https://127.0.0.1:2", "Q0E="]), "the operator's VPC"),
            ("UPDATING", Some(&answering), false, json!(["UPDATING", "https://127.0.0.1:1", "Q0E="]), "it answers all the while"),
        ] {
            let mut cluster = json!({"status": status, "endpoint": "https://the-emulator", "certificateAuthority": {"data": "theirs"}});
            show(&mut cluster, control_plane, is_through_nat);
            assert_eq!(json!([cluster["status"], cluster["endpoint"], cluster["certificateAuthority"]["data"]]), expected, "{why}");
        }
    }
}
