//! What can go wrong: the classes, which decide what happens after an error, and the codes, which tell errors apart.

mod meaning;

pub use meaning::{ALERTED, Meaning, NODES_CANNOT_JOIN, ORGANIZATION, UNDELIVERED, VERSION};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumMessage, EnumString, IntoStaticStr, VariantArray, VariantNames};

/// What happens after an error. Step Functions matches these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantArray)]
pub enum Class {
    /// It is temporary, and is retried with backoff.
    Transient,
    /// AWS wants fewer calls. It is retried with backoff.
    Throttled,
    /// It passes by itself, but not within minutes. The cluster is parked, and a new run begins by itself later.
    Later,
    /// The tenant can fix it. The cluster is parked, with a hint.
    Customer,
    /// It was not foreseen. The cluster is parked, and the operator is alerted.
    Permanent,
    /// A newer request owns the cluster. This execution gives way.
    Superseded,
}

impl Class {
    /// Exhaustive, so that a new class does not compile until somebody has decided.
    pub fn retryable(self) -> bool {
        match self {
            Class::Transient | Class::Throttled => true,
            Class::Later | Class::Customer | Class::Permanent | Class::Superseded => false,
        }
    }

    pub fn turn(self) -> Turn {
        match self {
            Class::Customer => Turn::Tenant,
            Class::Permanent => Turn::Operator,
            Class::Transient | Class::Throttled | Class::Later | Class::Superseded => Turn::Nobody,
        }
    }

    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Who has to do something before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Turn {
    Tenant,
    Operator,
    /// It passes, and Groundwork goes on by itself.
    Nobody,
}

/// Which error it is: a word of Groundwork's or an AWS code. It is stored and shown as its text. What is said here of each is printed in
/// docs/errors.md.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, AsRefStr, EnumString, EnumMessage, VariantNames,
)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Code {
    // What the tenant can fix.
    /// The cluster's API server does not let Groundwork in, or refuses what Groundwork wants in it.
    ApiServer,
    /// Alternatives of a node group have another architecture or number of GPUs than its type.
    AlternativesDiffer,
    /// The role's session is not in the account that its ARN names.
    AnotherAccount,
    /// A bucket is not in the cluster's region.
    BucketElsewhere,
    /// A bucket's public access block is not complete.
    BucketNotClosed,
    /// The customer's EKS cluster is not `ACTIVE`.
    EksClusterNotActive,
    /// EKS has the version of Kubernetes only in extended support, and nobody asked for that.
    ExtendedSupport,
    /// AWS cannot write the VPC's flow log into its bucket.
    FlowLogUndelivered,
    /// No availability zone that the cluster has, or could have, offers an instance type.
    InstanceTypeNotOffered,
    /// There is no node image for an instance type that an earlier version accepted.
    InstanceTypeWithoutImage,
    /// Some of the cluster's instance types are offered only in zones that are too many for one cluster.
    InstanceTypesApart,
    /// The account's VPC Block Public Access lets nothing out to the internet.
    InternetBlocked,
    /// The spec was accepted by another version and is not valid in this one.
    InvalidSpec,
    /// The customer's KMS key cannot encrypt the cluster as it is, or its policy does not let those in who have to use it.
    KeyNotUsable,
    /// A teardown is finished, but something of the cluster's is still in the account.
    LeftBehind,
    /// The role lacks permissions.
    MissingPermissions,
    /// AWS opens no session, because the account lacks policies of the quick-start.
    MissingPolicies,
    /// There is no such bucket.
    NoBucket,
    /// This Groundwork has no way to the cluster's API server, or the cluster is the customer's own.
    NoDoor,
    /// There is no such EKS cluster.
    NoEksCluster,
    /// AWS has no such region.
    NoSuchRegion,
    /// Something with a name of ours lacks the cluster's owner tag.
    NotOurs,
    /// The role lets others in than Groundwork, or lets them in without the external ID.
    OpenTrust,
    /// A policy of the organization denies calls that were tried before anything was made.
    OrganizationForbids,
    /// Something was in use as long as the stage may take, and so it could not be deleted.
    InUse,
    /// AWS does not let Groundwork assume the role.
    RoleRefused,
    /// Another tenant has registered the role.
    RoleRegistered,
    /// The region has fewer than two availability zones that EKS can use.
    TooFewZones,
    /// The customer's subnets lack what a cluster needs, or are not there.
    UnusableSubnets,
    /// The account has no availability zone of that name, or EKS cannot use it.
    ZoneNotUsable,
    /// EKS makes no clusters of that version of Kubernetes.
    VersionNotOffered,

    // What passes, or gives way.
    /// Others keep writing the same records.
    Contention,
    /// A NAT gateway failed, and AWS gives no cause.
    NatGatewayFailed,
    /// AWS gave no answer, so it is unknown whether the call had an effect.
    NoAnswer,
    /// AWS did not finish something in the time that the stage may take.
    OverBudget,
    /// A resource needs something that is not in the plan; the next invocation makes a new plan.
    Plan,
    /// A newer request is working on the cluster.
    Superseded,
    /// A VPC endpoint failed, and AWS gives no cause.
    VpcEndpointFailed,

    // What was not foreseen.
    /// A stored answer cannot be read.
    Answer,
    /// A request to the table lacks something.
    Build,
    /// The count of a tenant's requests is not a number.
    Count,
    /// An invocation's deadline is not a time.
    Deadline,
    /// An event is not about an execution of ours.
    Event,
    /// A request to AWS lacks something.
    IncompleteRequest,
    /// A node group is to be made, but the spec does not have its instance type.
    MissingInstanceType,
    /// A resource needs an output that another one does not have.
    MissingOutput,
    /// A subnet has no availability zone.
    MissingZone,
    /// AWS let Groundwork assume the role and sent no credentials.
    NoCredentials,
    /// A cluster that is being worked on has no record.
    NoRecord,
    /// A difference is to be mended in place, but its resource does not know how.
    NothingToMend,
    /// A record cannot be read or written.
    Record,
    /// A newer version wrote the spec, and this one does not understand all of it.
    Spec,
    /// A tag lacks its key or value.
    Tags,
    /// A role's trust policy cannot be read.
    TrustPolicy,
    /// AWS refused a call and gave no code.
    Unknown,
    /// A newer version made a resource, and this one does not know how to remove it.
    UnknownResource,

    // AWS's codes that change what we do.
    /// IAM denies a call, in the words of most services.
    AccessDenied,
    /// IAM denies a call, in the words of EKS and others.
    AccessDeniedException,
    /// IAM denies a call, in the words of EC2.
    UnauthorizedOperation,
    /// IAM denies a call, in the words of some EC2 messages.
    #[strum(serialize = "Client.UnauthorizedOperation")]
    ClientUnauthorizedOperation,
    /// Nodes started and did not join the cluster. In a self-managed cluster the network is the tenant's, and so is the turn.
    NodeCreationFailure,

    /// Any other AWS code, or the name of an error from Step Functions or Lambda.
    #[strum(default, transparent)]
    Aws(String),
}

impl Code {
    pub fn as_str(&self) -> &str {
        self.as_ref()
    }

    /// What happened, in a sentence.
    pub fn what(&self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }

    /// IAM denied the call.
    pub fn is_denial(&self) -> bool {
        matches!(self, Code::AccessDenied | Code::AccessDeniedException | Code::UnauthorizedOperation | Code::ClientUnauthorizedOperation)
    }

    /// IAM's answer about a role may be out of date for a while after the role or its policies were made or changed.
    pub fn may_be_stale(&self) -> bool {
        self.is_denial() || matches!(self, Code::MissingPermissions | Code::MissingPolicies | Code::OpenTrust | Code::RoleRefused)
    }
}

impl From<String> for Code {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_have_the_names_that_step_functions_matches() {
        for (class, name, retryable) in [
            (Class::Transient, "Transient", true),
            (Class::Throttled, "Throttled", true),
            (Class::Later, "Later", false),
            (Class::Customer, "Customer", false),
            (Class::Permanent, "Permanent", false),
            (Class::Superseded, "Superseded", false),
        ] {
            assert_eq!((class.name(), class.retryable()), (name, retryable));
            assert_eq!(serde_json::json!(class), name);
        }
    }

    /// Everything that a record, an event or an answer of earlier versions can hold.
    const WORDS: [&str; 61] = [
        "ApiServer",
        "AlternativesDiffer",
        "AnotherAccount",
        "BucketElsewhere",
        "BucketNotClosed",
        "EksClusterNotActive",
        "ExtendedSupport",
        "FlowLogUndelivered",
        "InstanceTypeNotOffered",
        "InstanceTypeWithoutImage",
        "InstanceTypesApart",
        "InternetBlocked",
        "InvalidSpec",
        "KeyNotUsable",
        "LeftBehind",
        "MissingPermissions",
        "MissingPolicies",
        "NoBucket",
        "NoDoor",
        "NoEksCluster",
        "NoSuchRegion",
        "NotOurs",
        "OpenTrust",
        "OrganizationForbids",
        "InUse",
        "RoleRefused",
        "RoleRegistered",
        "TooFewZones",
        "UnusableSubnets",
        "ZoneNotUsable",
        "VersionNotOffered",
        "Contention",
        "NatGatewayFailed",
        "NoAnswer",
        "OverBudget",
        "Plan",
        "Superseded",
        "VpcEndpointFailed",
        "Answer",
        "Build",
        "Count",
        "Deadline",
        "Event",
        "IncompleteRequest",
        "MissingInstanceType",
        "MissingOutput",
        "MissingZone",
        "NoCredentials",
        "NoRecord",
        "NothingToMend",
        "Record",
        "Spec",
        "Tags",
        "TrustPolicy",
        "Unknown",
        "UnknownResource",
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "Client.UnauthorizedOperation",
        "NodeCreationFailure",
    ];

    #[test]
    fn every_word_is_read_and_written_with_the_same_text() {
        for text in WORDS {
            let code = Code::from(text);
            assert!(!matches!(code, Code::Aws(_)), "{text}");
            assert_eq!((code.as_str(), code.to_string().as_str()), (text, text));
            assert_eq!(serde_json::json!(code), text);
        }
        let known = Code::VARIANTS.iter().filter(|name| **name != "Aws");
        assert!(known.eq(WORDS.iter()), "{:?}", Code::VARIANTS);
    }

    #[test]
    fn any_other_code_keeps_its_text() {
        for text in ["VpcLimitExceeded", "InvalidVpcID.NotFound", "CREATE_FAILED", "Lambda.Unknown", "superseded", "Aws", ""] {
            let code: Code = serde_json::from_value(text.into()).expect("any text");
            assert_eq!(code, Code::Aws(text.into()));
            assert_eq!((code.as_str(), code.to_string().as_str(), serde_json::json!(code)), (text, text, text.into()));
        }
    }

    #[test]
    fn a_denial_may_be_stale_and_so_may_a_check_of_the_role() {
        for (code, denial, stale) in [
            ("AccessDenied", true, true),
            ("AccessDeniedException", true, true),
            ("UnauthorizedOperation", true, true),
            ("Client.UnauthorizedOperation", true, true),
            ("MissingPermissions", false, true),
            ("MissingPolicies", false, true),
            ("OpenTrust", false, true),
            ("RoleRefused", false, true),
            ("NotOurs", false, false),
            ("VpcLimitExceeded", false, false),
        ] {
            let found = Code::from(code);
            assert_eq!((found.is_denial(), found.may_be_stale()), (denial, stale), "{code}");
        }
    }
}
