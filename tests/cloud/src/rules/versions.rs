//! The versions of Kubernetes that EKS has. The AWS behind has any version, and lists others or none.

use super::Rule;
use crate::answer::{Answer, Refusal, json_answer};
use crate::call::Call;
use crate::world::World;
use serde_json::{Value, json};

pub struct Versions;

/// Version, whether it is in standard support; the seconds since 1970 at which it came, and at which its standard and extended support end.
///
/// As of 2026-11-27. Source: <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html> (release calendar).
const ALL: [(&str, bool, i64, i64, i64); 4] = [
    ("1.35", true, 1_769_472_000, 1_806_105_600, 1_837_728_000),
    ("1.34", true, 1_759_363_200, 1_796_169_600, 1_827_705_600),
    ("1.33", false, 1_748_476_800, 1_785_283_200, 1_816_819_200),
    ("1.32", false, 1_737_590_400, 1_774_224_000, 1_805_760_000),
];

impl Rule for Versions {
    fn before(&mut self, call: &Call, _: &mut World) -> Option<Answer> {
        match call.name().as_str() {
            "eks:DescribeClusterVersions" => Some(json_answer(&json!({"clusterVersions": ALL.map(shown)}))),
            "eks:CreateCluster" => unsupported(call.json["version"].as_str()?).map(|refusal| refusal.answer(&call.service)),
            _ => None,
        }
    }
}

/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterVersionInformation.html>
fn shown((version, is_standard, released, standard, extended): (&str, bool, i64, i64, i64)) -> Value {
    let (status, word) = if is_standard { ("STANDARD_SUPPORT", "standard-support") } else { ("EXTENDED_SUPPORT", "extended-support") };
    json!({
        "clusterVersion": version, "clusterType": "eks", "defaultVersion": version == ALL[0].0, "versionStatus": status, "status": word,
        "releaseDate": released, "endOfStandardSupportDate": standard, "endOfExtendedSupportDate": extended
    })
}

/// <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/3164>
fn unsupported(version: &str) -> Option<Refusal> {
    let is_there = ALL.iter().any(|(other, ..)| *other == version);
    (!is_there).then(|| Refusal::new(400, "InvalidParameterException", format!("unsupported Kubernetes version {version}")))
}
