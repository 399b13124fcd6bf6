//! What each of Groundwork's codes means for what happens next: its class, and what to do about it.

use super::{Class, Code};

/// What follows from a code. Where more is known about the one error, the hint is more precise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub class: Class,
    /// What to do about it.
    pub hint: &'static str,
}

/// True of every error that was not foreseen, and of no other: the alarm rings when the run is parked.
pub const ALERTED: &str = "The operator is alerted when the run stops; retry once they have answered.";
/// A denial seldom says what of a call it is about.
pub const ORGANIZATION: &str = "A policy of the organization denies it. Such policies are about regions, tags or settings: an administrator of the \
                                organization has to exempt this account or role, then retry. Changing the role does not help.";
const AGAIN: &str = "This usually passes; Groundwork tries again by itself.";
const GRANT: &str =
    "Add the permission that the reason names to the role (and to its boundary and the organization's policies), then retry.";
const ANOTHER_REGION: &str = "Delete the cluster and create it in another region.";
/// The requests that meet it are answered with `internal`.
const IN_REQUESTS: &str = "Requests that meet this are answered with `internal`: ask the operator, whose log has the cause.";
const NEWER_VERSION: &str =
    "A newer version of Groundwork has to be deployed again. The operator is alerted; retry once they have done so.";
const MADE_AGAIN: &str = "Groundwork deletes it and makes it again by itself.";
pub const NODES_CANNOT_JOIN: &str = "The operator is alerted when the run stops. If something in the account that Groundwork did not make \
                                     keeps the nodes from the cluster, ECR or EC2 (a policy, a firewall, a route, VPC Block Public Access), remove it \
                                     and retry at once.";

/// EC2 says so itself of a flow log that it does not even begin. What was taken out of the bucket's policy, a retry puts back.
pub const UNDELIVERED: &str = "Remove what keeps delivery.logs.amazonaws.com out from the policy of the bucket logs (and of the key of encryption.kms_key_arn). AWS tries \
     to deliver again every ten minutes: wait that long, then retry.";

/// EKS says so itself of a version that has ended since it was asked.
pub const VERSION: &str =
    "Delete the cluster and create it with a kubernetes.version that EKS has (`aws eks describe-cluster-versions`), or without one.";

/// Everything else of the cluster is there.
const INSIDE: &str = "As an administrator of the cluster, from where its endpoint can be reached: groundwork furnish <name>.";

const fn tenants(hint: &'static str) -> Meaning {
    Meaning { class: Class::Customer, hint }
}

const fn operators(hint: &'static str) -> Meaning {
    Meaning { class: Class::Permanent, hint }
}

impl Code {
    /// Exhaustive, so that a new code does not compile until somebody has decided.
    pub fn means(&self) -> Meaning {
        match self {
            Code::ApiServer | Code::NoDoor => tenants(INSIDE),
            Code::AlternativesDiffer => {
                tenants("Delete the cluster and create it with alternatives of the same architecture and number of GPUs.")
            }
            Code::AnotherAccount => tenants("Delete the cluster and create it with the ARN of a role in the account that you mean."),
            Code::BucketElsewhere => tenants("Delete this cluster and create it with buckets in its region."),
            Code::BucketNotClosed => tenants("Turn on all four settings of the bucket's public access block, then retry."),
            Code::EksClusterNotActive => tenants(
                "Bring it back to ACTIVE, then retry; if that cannot be, delete this cluster and create it with another eks_cluster_name.",
            ),
            Code::ExtendedSupport => tenants(
                "Delete the cluster and create it with a kubernetes.version that is in standard support, or with kubernetes.upgrade_policy \
                 extended, for which the control plane costs $0.60 an hour instead of $0.10.",
            ),
            Code::FlowLogUndelivered => tenants(UNDELIVERED),
            Code::InstanceTypeNotOffered => {
                tenants("Delete the cluster and create it with types that the region offers, or in another region.")
            }
            Code::InstanceTypesApart => {
                tenants("Delete the cluster and create several, each with types that have zones in common, or leave some of the types out.")
            }
            Code::InstanceTypeWithoutImage => tenants("Delete the cluster and create one with another instance type."),
            Code::InternetBlocked => tenants(
                "Set VPC Block Public Access to off or block-ingress in the cluster's region (VPC console, Settings; if it is managed by \
                 declarative-policy, an administrator of the organization has to), then retry. Or delete the cluster and create it in \
                 another region.",
            ),
            Code::InvalidSpec => tenants("Delete the cluster and create it with a valid spec."),
            Code::KeyNotUsable => {
                tenants("Mend what the reason names, then retry; or delete the cluster and create it with another encryption.kms_key_arn.")
            }
            Code::LeftBehind => tenants(
                "inventory.left says why each counts. Remove what you do not need, then delete again; Groundwork also tries again by itself.",
            ),
            Code::MissingPermissions => tenants("Deploy the quick-start from GET /onboarding again, or add what is missing; then retry."),
            Code::MissingPolicies => tenants(
                "Deploy the quick-start from GET /onboarding again in the role's account, which creates these policies, then retry. If \
                 role_arn is wrong, delete the cluster and create it with the right one.",
            ),
            Code::NoBucket => tenants("Create it, then retry; or delete this cluster and create it with the right buckets."),
            Code::NoEksCluster => tenants("Create it, then retry; or delete this cluster and create it with the right eks_cluster_name."),
            Code::NoSuchRegion => {
                tenants("Delete the cluster and create it in a region that `aws ec2 describe-regions --all-regions` lists.")
            }
            Code::NotOurs => tenants("If it belongs to this cluster, put the tag back, otherwise remove it; then retry."),
            Code::OpenTrust => tenants("The quick-start from GET /onboarding has the right trust policy; correct yours, then retry."),
            Code::OrganizationForbids => tenants(ORGANIZATION),
            Code::InUse => tenants(
                "Something else in the account uses it: inventory.left lists what is there. Remove what you do not need, then retry; \
                 Groundwork also tries again by itself.",
            ),
            Code::RoleRefused => tenants(
                "See that the role exists: groundwork onboard has the commands that make it, and GET /onboarding its trust policy to compare: \
                 the principal, and the external ID in its sts:ExternalId condition. Then retry. If role_arn is wrong, delete the cluster and create it with the right one. If all is right, \
                 a policy of the organization (a resource control policy on sts:AssumeRole) keeps other companies out: an administrator of \
                 the organization has to exempt the role.",
            ),
            Code::RoleRegistered => tenants(
                "Deploy the quick-start with another role name, then delete this cluster and create it with that role. If the role is yours \
                 alone, ask the operator.",
            ),
            Code::TooFewZones => tenants(ANOTHER_REGION),
            Code::ZoneNotUsable => tenants(
                "Delete the cluster and create it with network.zones that the reason names, or without, so that zones are chosen that offer its \
                 instance types.",
            ),
            Code::VersionNotOffered => tenants(VERSION),
            Code::UnusableSubnets => tenants(
                "Mend in the VPC what the reason names, then retry; or delete this cluster and create it with other network.subnet_ids, or \
                 without.",
            ),
            Code::AccessDenied | Code::AccessDeniedException | Code::UnauthorizedOperation | Code::ClientUnauthorizedOperation => {
                tenants(GRANT)
            }

            Code::Contention | Code::NoAnswer | Code::Plan => Meaning { class: Class::Transient, hint: AGAIN },
            Code::NatGatewayFailed | Code::VpcEndpointFailed => Meaning { class: Class::Later, hint: MADE_AGAIN },
            Code::OverBudget => {
                Meaning { class: Class::Later, hint: "Groundwork looks again by itself. If it stays so, ask AWS's support about it." }
            }
            Code::Superseded => Meaning { class: Class::Superseded, hint: "Nothing to do." },

            Code::Answer | Code::Count => operators(IN_REQUESTS),
            Code::Spec | Code::UnknownResource => operators(NEWER_VERSION),
            Code::NodeCreationFailure => operators(NODES_CANNOT_JOIN),
            Code::Build
            | Code::Deadline
            | Code::Event
            | Code::IncompleteRequest
            | Code::MissingInstanceType
            | Code::MissingOutput
            | Code::MissingZone
            | Code::NoCredentials
            | Code::NoRecord
            | Code::NothingToMend
            | Code::Record
            | Code::Tags
            | Code::TrustPolicy
            | Code::Unknown
            | Code::Aws(_) => operators(ALERTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Turn;
    use super::*;
    use strum::VariantNames;

    #[test]
    fn every_code_says_what_happened_and_what_to_do_in_sentences() {
        for code in Code::VARIANTS.iter().map(|name| Code::from(*name)) {
            for text in [code.what(), code.means().hint] {
                assert!(text.len() > 10 && text.ends_with('.'), "{code}: {text:?}");
            }
        }
    }

    #[test]
    fn the_operator_is_named_only_where_it_is_the_operators_turn() {
        for code in Code::VARIANTS.iter().map(|name| Code::from(*name)) {
            let Meaning { class, hint } = code.means();
            assert_eq!(hint.contains("alerted") || hint.contains("log has the cause"), class.turn() == Turn::Operator, "{code}: {hint}");
        }
    }
}
