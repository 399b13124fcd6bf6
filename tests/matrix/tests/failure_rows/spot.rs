//! Node groups of spot capacity.

use crate::scene::{QUICK_START, Scene, doom, reads, refuse};
use cloud::faults::Fault;
use matrix::account::REGION;
use serde_json::{Value, json};
use wire::error::{Class, Code};

const CAPACITY: &str = "AWS has no spot capacity for these instance types in the cluster's zones now; Groundwork tries again by itself. To stop \
                        waiting, delete the cluster and create it with more alternatives, or with capacity on_demand.";
const VCPUS: &str = "Raise the EC2 quota for Spot vCPUs of this instance family (All Spot Instance Requests: G: L-3819A6DF, P2 to P4: L-7212CCBC, \
                     P5: L-C4BD4855, X: L-E3A00192, standard: L-34B43A08) at https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas \
                     in the cluster's region, then retry. Or delete the cluster and create it with fewer nodes, or with capacity on_demand.";

/// A group of spot beside one on demand of the same type.
async fn wanting(alternatives: &[&str], count: u32) -> Scene {
    let mut scene = Scene::new().await;
    scene.ask_for(&json!([
        {"name": "m6i.large"},
        {"name": "m6i.large", "capacity": "spot", "alternatives": alternatives, "overprovisioned_ondemand_count": count}
    ]));
    scene
}

async fn group(scene: &Scene) -> Value {
    let call = scene.clients().eks.describe_nodegroup().cluster_name(scene.cluster.eks_name()).nodegroup_name("spot-m6i-large");
    let group = call.send().await.expect("the node group").nodegroup.expect("the node group");
    json!([group.instance_types(), group.capacity_type().map(|kind| kind.as_str()), group.labels().map(|labels| labels.len())])
}

/// Whether the account has spot's role.
async fn role(scene: &Scene) -> bool {
    let roles = scene.clients().iam.list_roles().path_prefix("/aws-service-role/spot.amazonaws.com/").send().await;
    !roles.expect("roles").roles().is_empty()
}

/// P, F: The account has no service-linked role for spot, and perhaps nobody may make it.
#[tokio::test(start_paused = true)]
async fn row_101_spots_role_is_made_once_or_its_permission_is_named() {
    let scene = wanting(&["m7i.large"], 0).await;
    let denied = refuse("iam:CreateServiceLinkedRole", 403, "AccessDenied", "User: x is not authorized to perform: it");
    scene.set(vec![denied]);
    let parked = scene.parks().await;
    assert_eq!((parked.class, parked.code.as_str()), (Class::Customer, "AccessDenied"), "{parked}");
    assert!(parked.hint.contains("iam:CreateServiceLinkedRole") && parked.hint.contains("retry"), "{}", parked.hint);
    assert!(!role(&scene).await);
    scene.mend();
    scene.runs().await;
    assert!(role(&scene).await && QUICK_START.contains("AWSServiceRoleForEC2Spot"));
    assert_eq!(group(&scene).await, json!([["m6i.large", "m7i.large"], "SPOT", 1]));

    scene.goes().await;
    assert!(role(&scene).await, "it is the account's");
}

/// F: There is no spot capacity.
#[tokio::test(start_paused = true)]
async fn row_102_without_spot_capacity_the_group_is_made_again_later() {
    let scene = wanting(&[], 1).await;
    let causes = [
        "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration.",
        "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available that matches your request.",
    ];
    for (index, message) in causes.into_iter().enumerate() {
        let doom = doom("eks:CreateNodegroup", "AsgInstanceLaunchFailures", message);
        scene.set(vec![Fault { about: "node-group/spot/m6i.large".into(), ..doom }]);
        let parked = if index == 0 { scene.provision().await } else { scene.begin_again().await };
        let reason = format!("The node group spot-m6i-large is CREATE_FAILED; AsgInstanceLaunchFailures: {message}");
        reads(&parked.expect_err("it must park"), Class::Later, &reason, CAPACITY);
    }
    scene.mend();
    scene.begin_again().await.expect("nothing parks it");
    scene.goes().await;
}

/// P: Alternatives of a spot group are not like its type, or not where it is.
#[tokio::test(start_paused = true)]
async fn row_103_alternatives_that_nodes_cannot_have_are_refused_before_anything_is_made() {
    for (name, alternative, code, reason) in [
        (
            "g5.xlarge",
            "g4dn.12xlarge",
            Code::AlternativesDiffer,
            "Alternatives differ: g4dn.12xlarge has 4 GPU(s) and x86_64 and g5.xlarge has 1 GPU(s) and x86_64.",
        ),
        ("m6i.large", "m6i.huge", Code::InstanceTypeNotOffered, "offers m6i.huge (instead: m6i.large, "),
        ("p5.48xlarge", "p5e.48xlarge", Code::InstanceTypeNotOffered, "(us-west-2a, us-west-2b) offers p5e.48xlarge (instead: "),
    ] {
        let mut scene = Scene::new().await;
        scene.ask_for(&json!([{"name": name, "capacity": "spot", "alternatives": [alternative]}]));
        let parked = scene.parks().await;
        assert!(parked.code == code && parked.reason.contains(reason), "{}", parked.reason);
        assert!(scene.account.calls().iter().all(|call| !call.contains(":Create")), "nothing was made");
        scene.goes().await;
    }

    // The first is in a, b, c and d, the second in c: so the group is only there.
    let mut scene = Scene::wanting(&["m6i.large"]).await;
    scene.ask_for(&json!([{"name": "p5.48xlarge", "capacity": "spot", "alternatives": ["p5e.48xlarge"]}]));
    scene.provision().await.expect("nothing parks it");
    scene.look_again();
    assert_eq!(scene.zones_of("spot-p5-48xlarge").await, [format!("{REGION}c")].into());
    scene.goes().await;
}

/// F: The quota for spot is used up, which is another one than on demand.
#[tokio::test(start_paused = true)]
async fn row_104_spot_has_a_quota_of_its_own() {
    // Three nodes have six vCPUs, of which a new account has five.
    let scene = wanting(&[], 3).await;
    let message = "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded";
    let reason = format!("The node group spot-m6i-large is CREATE_FAILED; AsgInstanceLaunchFailures: {message}");
    reads(&scene.parks().await, Class::Customer, &reason, VCPUS);
    scene.grant(&[("L-34B43A08", 6)]);
    scene.runs().await;
    scene.goes().await;
}
