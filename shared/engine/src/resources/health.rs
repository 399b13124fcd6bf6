//! What the health issues mean that EKS reports for a cluster, node group or add-on that failed.
//!
//! None of them passes for the thing that has them: a later run deletes it and makes it again. `Later` is what passes without anybody.

use crate::errors::Error;
use crate::errors::table::{FREE_PLAN, OFFERING, QUOTA, RESTRICTED, Row, SUBNETS, VERIFY, row};
use std::fmt::Write;
use wire::error::{Class, Code, NODES_CANNOT_JOIN};

/// One line of EKS's `health.issues`.
pub struct Issue<'a> {
    pub code: Option<&'a str>,
    pub message: Option<&'a str>,
}

const VCPUS: &str = "Raise the EC2 quota for running On-Demand vCPUs of this instance family (G: L-DB2E81BA, P: L-417A185B, X: L-7295265B, standard: L-1216C47A) at https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas in the cluster's region, then retry. Or delete the cluster and create it with fewer nodes, or with a type of a family whose quota suffices.";
pub(super) const CAPACITY: &str = "AWS has no capacity for this instance type in the cluster's zones now; Groundwork tries again by itself. To stop waiting, delete the cluster and create it with another type, or in another region.";
const EBS_KEY: &str = "Enable the key of the nodes' volumes (encryption.kms_key_arn, or without one the account's default key for EBS encryption), and let AWSServiceRoleForAutoScaling use it (kms:CreateGrant in the key's policy), then retry.";
const GONE: &str = "Something that the cluster needs was deleted from the account; retry to create it again.";
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-allowed-amis.html>
const IMAGES: &str = "EC2 shows the account no such image: if the account's Allowed AMIs setting (aws ec2 get-allowed-images-settings) is on, let it allow images of the owner amazon, then retry.";
const DENIED: &str = "A policy of the account or the organization blocks EKS or the nodes; allow what the reason names, then retry.";
const SIGN_UP: &str = "EC2 and Auto Scaling are not active in the account; finish signing up for them, then retry.";
const AGAIN: &str = "Something failed inside AWS; Groundwork makes it again by itself.";
const CHANGED: &str = "A change in the cluster, which Groundwork did not make, conflicts with the add-on; undo it, then retry.";
const REPLICAS: &str = "The add-on's pods found no node to run on; check that the nodes are ready and have room, then retry.";
const STS: &str = "Activate the region's STS endpoint in the account's IAM settings, then retry.";

/// Sources: "Spot Instance quotas" (EC2 User Guide); <https://github.com/aws-deepracer-community/deepracer-on-the-spot/issues/55>.
const SPOT_VCPUS: &str = "Raise the EC2 quota for Spot vCPUs of this instance family (All Spot Instance Requests: G: L-3819A6DF, P2 to P4: L-7212CCBC, P5: L-C4BD4855, X: L-E3A00192, standard: L-34B43A08) at https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas in the cluster's region, then retry. Or delete the cluster and create it with fewer nodes, or with capacity on_demand.";
const STORAGE: &str = "Raise the EBS quota for gp3 storage (L-7A658B76) or delete volumes, then retry.";
const AWS_AUTH: &str = "Repair (or delete) the ConfigMap aws-auth in kube-system, then retry.";
const KEY: &str = "Enable (or restore) the key that the reason names, then retry.";
const EDITED: &str =
    "Undo the change to the launch template or Auto Scaling group of the node group, which Groundwork did not make, then retry.";
const EVICTION: &str = "A PodDisruptionBudget keeps pods on the nodes; loosen it, then retry.";
const PUBLIC_SUBNETS: &str =
    "Turn on auto-assigned public IPv4 addresses for the subnets, or give private ones with a way out, then retry.";
const HELD: &str = "Detach or delete what still uses the security group that the reason names, then retry.";

/// The first row that matches any issue wins, so causes come before effects: nodes that were never launched do not join either.
pub const TABLE: &[Row] = &[
    // An account that is new, or new to the region: EKS gives this text without EC2's code.
    row("", "is being validated", Class::Later, VERIFY),
    row("", "currently being verified", Class::Later, VERIFY),
    row("", "PendingVerification", Class::Later, VERIFY),
    row("", "not eligible for Free Tier", Class::Customer, FREE_PLAN),
    row("", "currently blocked", Class::Customer, RESTRICTED),
    row("", "maximum Fleet Requests", Class::Customer, RESTRICTED),
    row("", "MaxFleetCountExceeded", Class::Customer, RESTRICTED),
    row("", "storage limit", Class::Customer, STORAGE),
    row("", "current vCPU limit", Class::Customer, VCPUS),
    row("", "current instance limit", Class::Customer, VCPUS),
    row("", "InstanceLimitExceeded", Class::Customer, VCPUS),
    row("", "VcpuLimitExceeded", Class::Customer, VCPUS),
    row("", "MaxSpotInstanceCountExceeded", Class::Customer, SPOT_VCPUS),
    row("", "InsufficientInstanceCapacity", Class::Later, CAPACITY),
    row("", "UnfulfillableCapacity", Class::Later, CAPACITY),
    row("", "do not have sufficient", Class::Later, CAPACITY),
    row("", "Unsupported - ", Class::Customer, OFFERING),
    row("", "is not supported in your requested Availability Zone", Class::Customer, OFFERING),
    row("Ec2InstanceTypeDoesNotExist", "", Class::Customer, OFFERING),
    row("Ec2LaunchTemplateInvalidConfiguration", "instance type", Class::Customer, OFFERING),
    row("", "InvalidFleetConfiguration", Class::Customer, OFFERING),
    row("", "InsufficientFreeAddresses", Class::Customer, SUBNETS),
    row("", "InvalidKMSKey", Class::Customer, EBS_KEY),
    row("", "inaccessible", Class::Customer, EBS_KEY),
    row("", "Client.InternalError", Class::Customer, EBS_KEY),
    row("", "quota", Class::Customer, QUOTA),
    row("InsufficientFreeAddresses", "", Class::Customer, SUBNETS),
    row("InstanceLimitExceeded", "", Class::Customer, VCPUS),
    row("IamLimitExceeded", "", Class::Customer, QUOTA),
    row("LimitExceeded", "", Class::Customer, QUOTA),
    row("ResourceLimitExceeded", "", Class::Customer, QUOTA),
    row("Ec2LaunchTemplateMaxLimitExceeded", "", Class::Customer, QUOTA),
    row("Ec2LaunchTemplateVersionMaxLimitExceeded", "", Class::Customer, QUOTA),
    row("AccessDenied", "aws-auth", Class::Customer, AWS_AUTH),
    row("AccessDenied", "", Class::Customer, DENIED),
    row("AddonPermissionFailure", "", Class::Customer, DENIED),
    row("StsRegionalEndpointDisabled", "", Class::Customer, STS),
    row("Ec2ServiceNotSubscribed", "", Class::Customer, SIGN_UP),
    row("AutoScalingGroupOptInRequired", "", Class::Customer, SIGN_UP),
    row("AutoScalingGroupNotFound", "", Class::Customer, GONE),
    row("AmiIdNotFound", "", Class::Customer, IMAGES),
    row("SourceEc2LaunchTemplateNotFound", "", Class::Customer, GONE),
    row("Ec2LaunchTemplateNotFound", "", Class::Customer, GONE),
    row("Ec2SecurityGroupNotFound", "", Class::Customer, GONE),
    row("Ec2SubnetNotFound", "", Class::Customer, GONE),
    row("IamInstanceProfileNotFound", "", Class::Customer, GONE),
    row("IamNodeRoleNotFound", "", Class::Customer, GONE),
    row("IamRoleNotFound", "", Class::Customer, GONE),
    row("ResourceNotFound", "", Class::Customer, GONE),
    row("VpcNotFound", "", Class::Customer, GONE),
    row("KmsKeyDisabled", "", Class::Customer, KEY),
    row("KmsKeyNotFound", "", Class::Customer, KEY),
    row("KmsKeyMarkedForDeletion", "", Class::Customer, KEY),
    row("KmsGrantRevoked", "", Class::Customer, KEY),
    row("Ec2LaunchTemplateVersionMismatch", "", Class::Customer, EDITED),
    row("AutoScalingGroupInvalidConfiguration", "", Class::Customer, EDITED),
    row("Ec2SubnetInvalidConfiguration", "", Class::Customer, PUBLIC_SUBNETS),
    row("PodEvictionFailure", "", Class::Customer, EVICTION),
    row("K8sResourceNotFound", "", Class::Customer, CHANGED),
    row("ConfigurationConflict", "", Class::Customer, CHANGED),
    row("AdmissionRequestDenied", "", Class::Customer, CHANGED),
    row("InsufficientNumberOfReplicas", "", Class::Customer, REPLICAS),
    row("InternalFailure", "", Class::Later, AGAIN),
    row("ClusterUnreachable", "", Class::Later, AGAIN),
    row("NodeTerminationFailure", "", Class::Later, AGAIN),
    row("Ec2LaunchTemplateDeletionFailure", "", Class::Later, AGAIN),
    row("IamThrottling", "", Class::Later, AGAIN),
    row("AutoScalingGroupRateLimitExceeded", "", Class::Later, AGAIN),
    row("AutoScalingGroupInstanceRefreshActive", "", Class::Later, AGAIN),
    row("Ec2SecurityGroupDeletionFailure", "", Class::Customer, HELD),
    row("NodeCreationFailure", "", Class::Permanent, NODES_CANNOT_JOIN),
];

/// The error for a thing that failed, with EKS's cause.
pub fn broken<'a>(what: &str, status: &str, issues: impl IntoIterator<Item = Issue<'a>>) -> Error {
    let reported = issues.into_iter().map(|issue| (issue.code.map_or(Code::Unknown, Code::from), issue.message.unwrap_or("no message")));
    let issues: Vec<(Code, &str)> = reported.collect();
    let known = TABLE.iter().find_map(|row| {
        let (code, _) =
            issues.iter().find(|(code, message)| (row.code.is_empty() || row.code == code.as_str()) && message.contains(row.says))?;
        Some((row, code))
    });
    let mut reason = format!("{what} is {status}");
    for (code, message) in &issues {
        // Writing to a String cannot fail.
        let _ = write!(reason, "; {code}: {message}");
    }
    match known {
        Some((row, code)) => Error { class: row.class, hint: row.hint.into(), ..Error::of(code.clone(), reason) },
        None => Error::of(issues.first().map_or(status.into(), |(code, _)| code.clone()), reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(issues: &[(&str, &str)]) -> Error {
        let issues = issues.iter().map(|(code, message)| Issue { code: Some(code), message: Some(message) });
        broken("Node group g4dn-xlarge", "CREATE_FAILED", issues)
    }

    #[test]
    fn each_cause_gets_its_hint() {
        const LAUNCH: &str = "AsgInstanceLaunchFailures";
        for (code, message, class, hint, why) in [
            (LAUNCH, "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more", Class::Customer, VCPUS, "row 37"),
            (LAUNCH, "MaxSpotInstanceCountExceeded - Max spot instance count exceeded", Class::Customer, SPOT_VCPUS, "row 104"),
            (LAUNCH, "InsufficientInstanceCapacity - We currently do not have sufficient p4d", Class::Later, CAPACITY, "row 36"),
            (LAUNCH, "Your request for accessing resources in this region is being validated", Class::Later, VERIFY, "row 61"),
            ("IamThrottling", "Amazon EKS was unable to create an IAM Instance Profile", Class::Later, AGAIN, "row 62"),
            (LAUNCH, "Unsupported - Your requested instance type (p3.2xlarge) is not supported", Class::Customer, OFFERING, "row 35"),
            (LAUNCH, "You've reached your quota for maximum Fleet Requests", Class::Customer, RESTRICTED, "no such quota can be raised"),
            (LAUNCH, "The specified instance type is not eligible for Free Tier.", Class::Customer, FREE_PLAN, "t3.medium, too"),
            (LAUNCH, "You have exceeded your maximum gp3 storage limit of 50 TiB in this region", Class::Customer, STORAGE, "no code"),
            (LAUNCH, "You have requested more vCPU capacity than your current vCPU limit of 0 allows", Class::Customer, VCPUS, "no code"),
            (LAUNCH, "encrypted with an inaccessible AWS KMS key", Class::Customer, EBS_KEY, "the newer words"),
            (
                "Ec2LaunchTemplateInvalidConfiguration",
                "The specified instance type m8i.large is not valid",
                Class::Customer,
                OFFERING,
                "type",
            ),
            ("AccessDenied", "The aws-auth ConfigMap in your cluster is invalid", Class::Customer, AWS_AUTH, "the tenant's own edit"),
            ("AccessDenied", "not authorized", Class::Customer, DENIED, "any other"),
            (LAUNCH, "Client.InvalidKMSKey.InvalidState: The KMS key provided is", Class::Customer, EBS_KEY, "row 39"),
            ("InsufficientFreeAddresses", "subnet-1", Class::Customer, SUBNETS, "row 38"),
            (
                "NodeCreationFailure",
                "Instances failed to join the kubernetes cluster",
                Class::Permanent,
                NODES_CANNOT_JOIN,
                "row 33: the network is ours",
            ),
        ] {
            let found = error(&[(code, message)]);
            assert_eq!((found.class, found.hint.as_str(), found.code.as_str()), (class, hint, code), "{why}");
        }
    }

    #[test]
    fn a_cause_comes_before_its_effects() {
        let found =
            error(&[("NodeCreationFailure", "Instances failed to join"), ("AsgInstanceLaunchFailures", "VcpuLimitExceeded - You have")]);
        assert_eq!((found.class, found.hint.as_str()), (Class::Customer, VCPUS));
        assert!(
            found.reason.contains("NodeCreationFailure: Instances failed to join; AsgInstanceLaunchFailures: Vcpu"),
            "{}",
            found.reason
        );
    }

    #[test]
    fn an_unknown_issue_and_none_at_all_raise_the_alarm() {
        assert_eq!(error(&[("Strange", "new")]).class, Class::Permanent);
        let silent = error(&[]);
        assert_eq!((silent.class, silent.code.as_str()), (Class::Permanent, "CREATE_FAILED"));
        assert_eq!(silent.reason, "Node group g4dn-xlarge is CREATE_FAILED");
    }
}
