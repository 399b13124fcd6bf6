//! The tags that a tenant wants on what is made.

use super::{Fault, Section, shortened};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Key and value of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub BTreeMap<String, String>);

/// What EC2, IAM, EKS and S3 all take, and a launch template, whose tags are the shortest. The EBS CSI driver is told its tags as
/// `key=value,…`, so a key has no equals sign, and nothing has a comma; and it drops spaces at the ends.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Tag.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html>,
/// <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/options.md>
impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "maxProperties": 40,
            "propertyNames": {"pattern": "^[A-Za-z0-9_.:/+@-]([A-Za-z0-9 _.:/+@-]{0,125}[A-Za-z0-9_.:/+@-])?$"},
            "additionalProperties": {
                "type": "string",
                "pattern": "^([A-Za-z0-9_.:/=+@-]([A-Za-z0-9 _.:/=+@-]{0,253}[A-Za-z0-9_.:/=+@-])?)?$"
            }
        })
    }
}

/// Keys that others read or write on the same things, in lower case because IAM does not tell capital letters from small ones: ours;
/// <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>; GuardDuty's, by which what it left is known.
const RESERVED: [&str; 3] = ["name", "kubernetescluster", "guarddutymanaged"];
const RESERVED_BEGINNINGS: [&str; 5] = ["aws:", "groundwork:", "eks:", "ebs.csi.aws.com", "csivolume"];
/// Of Kubernetes and its controllers. The VPC CNI leaves out every tag with the last in it:
/// <https://github.com/aws/amazon-vpc-cni-k8s#additional_eni_tags-v160>.
const RESERVED_PARTS: [&str; 4] = ["kubernetes.io", "k8s.io", "k8s.aws", "k8s.amazonaws.com"];

impl Tags {
    /// Why a key cannot be had.
    fn fault(&self, key: &str) -> Option<String> {
        let small = key.to_lowercase();
        let begins = RESERVED_BEGINNINGS.into_iter().find(|beginning| small.starts_with(beginning)).map(|text| format!("{text}…"));
        let has = RESERVED_PARTS.into_iter().find(|part| small.contains(part)).map(|text| format!("…{text}…"));
        let is = RESERVED.contains(&small.as_str()).then(|| small.clone());
        if let Some(reserved) = begins.or(has).or(is) {
            return Some(format!("{reserved} is reserved for AWS, Kubernetes or Groundwork, in capital letters too: choose another key"));
        }
        let twin = self.0.keys().take_while(|other| *other != key).find(|other| other.to_lowercase() == small)?;
        Some(format!("{twin} is there already, and IAM does not tell capital letters from small ones: give one of them"))
    }
}

impl Section for Tags {
    fn check(&self) -> Vec<Fault> {
        self.0.keys().filter_map(|key| Some(Fault::new(format!("$.tags.{}", shortened(key)), self.fault(key)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_that_nobody_else_uses() {
        for (keys, faults, reason) in [
            (&["CostCenter", "team/name", "Owner"][..], &[][..], "theirs"),
            (&["aws:x", "AWS:x"], &["aws:… is reserved", "aws:… is reserved"], "AWS's, however it is written"),
            (&["groundwork:cluster"], &["groundwork:… is reserved"], "the owner tag"),
            (&["Groundwork:Resource"], &["groundwork:… is reserved"], "to IAM it is the same"),
            (&["Name"], &["name is reserved"], "set by us"),
            (&["kubernetes.io/cluster/x"], &["…kubernetes.io… is reserved"], "the CSI driver does not start with it"),
            (&["node.k8s.amazonaws.com/x"], &["…k8s.amazonaws.com… is reserved"], "the CNI leaves it out"),
            (&["elbv2.k8s.aws/cluster"], &["…k8s.aws… is reserved"], "the load balancer controller's"),
            (&["CSIVolumeName"], &["csivolume… is reserved"], "the CSI driver's"),
            (&["GuardDutyManaged"], &["guarddutymanaged is reserved"], "what has it is GuardDuty's"),
            (&["CostCenter", "costcenter"], &["CostCenter is there already"], "one tag to IAM"),
        ] {
            let tags = Tags(keys.iter().map(|key| ((*key).to_owned(), String::new())).collect());
            let found: Vec<String> = tags.check().into_iter().map(|fault| fault.message).collect();
            assert_eq!(found.len(), faults.len(), "{reason}: {found:?}");
            assert!(found.iter().zip(faults).all(|(found, words)| found.starts_with(words)), "{reason}: {found:?}");
        }
    }
}
