//! What AWS's errors mean: class and hint by code and message.

use wire::error::{ALERTED, Class, ORGANIZATION, UNDELIVERED, VERSION};

/// What an AWS error means.
pub struct Row {
    /// The code; ending in `*` it matches as a prefix, and empty all.
    pub code: &'static str,
    /// A piece of the message; empty matches all.
    pub says: &'static str,
    pub class: Class,
    pub hint: &'static str,
}

pub const fn row(code: &'static str, says: &'static str, class: Class, hint: &'static str) -> Row {
    Row { code, says, class, hint }
}

/// What to do about a quota: its code, its name, the service that has it, and what else makes room. Quotas of global services are raised
/// in us-east-1.
macro_rules! raise {
    ($code:literal, $name:literal, "iam", $room:literal) => {
        raise!($code, $name, "iam", "us-east-1", $room)
    };
    ($code:literal, $name:literal, "s3", $room:literal) => {
        raise!($code, $name, "s3", "us-east-1", $room)
    };
    ($code:literal, $name:literal, $service:literal, $room:literal) => {
        raise!($code, $name, $service, "the cluster's region", $room)
    };
    ($code:literal, $name:literal, $service:literal, $region:literal, $room:literal) => {
        concat!(
            "Raise the quota ",
            $code,
            " (",
            $name,
            ") at https://console.aws.amazon.com/servicequotas/home/services/",
            $service,
            "/quotas/",
            $code,
            " in ",
            $region,
            $room,
            ", then retry."
        )
    };
}

/// EKS's words for what is not there; either code is used about a cluster.
pub const GONE_IN_EKS: &[(&str, &str)] = &[("ResourceNotFoundException", ""), ("ClientException", "No cluster found for name")];
/// EKS's words for what is there. The same code with other words means that something else is in the way.
pub const THERE_IN_EKS: &[(&str, &str)] =
    &[("ResourceInUseException", "already exists"), ("ResourceInUseException", "already in use on this cluster")];

pub const FREE_PLAN: &str = "The account is on AWS's free plan, which allows only small instances: upgrade it (Billing and Cost Management, Upgrade plan), then retry.";
pub const RESTRICTED: &str = "AWS restricts this account: check that billing is set up, and open a case with AWS Support (account and billing) to have EC2 enabled, then retry.";
const UNFINISHED_SIGN_UP: &str = "The account's sign-up is not finished: add a valid payment method and verify the phone number, wait until AWS's mail says that the account is active, then retry.";
pub const QUOTA: &str = "Raise the quota that the reason names, then retry.";
const SOON: &str = "AWS cannot see what was just created yet, which passes within minutes; Groundwork tries again by itself.";
const SLOW: &str = "AWS is throttling calls; Groundwork tries again by itself, more and more slowly.";
pub const INSIDE: &str = "Something failed inside AWS; Groundwork tries again by itself.";
pub const WAIT: &str = "Something in the account still depends on it or is changing it; Groundwork tries again by itself.";
pub const SUBNETS: &str = "The cluster's subnets have no free addresses; release some, then retry.";
pub const VERIFY: &str = "AWS is still verifying the account for this region, which usually takes minutes and at most about four hours; Groundwork tries again by itself. If AWS has sent no mail after that, write to AWS Support from this account.";
pub const OFFERING: &str =
    "The cluster's zones do not offer this instance type; delete the cluster and create it with another type, or in another region.";

const KEY: &str = "EKS may not use the key of encryption.kms_key_arn through the role: see that the key has the tag groundwork:encryption = allowed, which KMS heeds after up to five minutes, and a policy that lets the role in, and deploy the quick-start again, then retry.";

const ADDON: &str = "EKS does not offer this add-on for the cluster's version of Kubernetes in its region: delete the cluster and create it with another kubernetes.version, or, for an add-on of the standard profile, with performance_profile cost_saving.";

pub const SESSION: &str = "The policies by which Groundwork narrows its session do not allow it: deploy the quick-start again, then retry.";
pub const BOUNDARY: &str =
    "A permissions boundary does not allow it: deploy the quick-start again and take any other boundary off the role, then retry.";
pub const OF_ROLE: &str = "A policy of the role itself denies it: take the denial out of it (the quick-start's have none), then retry.";
pub const NOT_GRANTED: &str = "Deploy the quick-start again, or add the action that the reason names to the role, then retry.";
pub const NOT_LET_IN: &str = "Let the role do it in the policy of the thing itself (of a key: a statement with the role as Principal, or the account, which leaves it to IAM), then retry.";
pub const ON_RESOURCE: &str = "A policy on the thing itself (of a bucket, of a key) denies it: remove that statement, then retry.";
const LOCKED: &str = "The object that the reason names is locked: wait until its retention ends, or lift the hold or the retention (in governance mode), then retry.";
const MFA_DELETE: &str = "The bucket has MFA delete, which only the account's root user can turn off: turn it off, then retry.";

/// Denials of which adding the permission to the role would not help, by what AWS says of the cause.
pub const DENIALS: &[Row] = &[
    row("", "service control policy", Class::Customer, ORGANIZATION),
    row("", "resource control policy", Class::Customer, ORGANIZATION),
    row("", "session policy", Class::Customer, SESSION),
    row("", "permissions boundary", Class::Customer, BOUNDARY),
    row("", "no resource-based policy allows", Class::Customer, NOT_LET_IN),
    row("", "resource-based policy", Class::Customer, ON_RESOURCE),
    row("", "explicit deny in an identity-based policy", Class::Customer, OF_ROLE),
    row("", "no identity-based policy allows", Class::Customer, NOT_GRANTED),
    row("", "protected by object lock", Class::Customer, LOCKED),
    row("", "Mfa Authentication", Class::Customer, MFA_DELETE),
    row("", "VPC endpoint policy", Class::Permanent, ALERTED),
    row("", "Unable to determine service/operation", Class::Permanent, ALERTED),
];

/// Code and message to class; the first match wins, and a code that is not here is Permanent.
/// Sources: failures collected from eksctl, CAPA, the Terraform provider and others.
pub const TABLE: &[Row] = &[
    // Throttling (row 58).
    row("Throttling*", "", Class::Throttled, SLOW),
    row("ThrottledException", "", Class::Throttled, SLOW),
    row("TooManyRequestsException", "", Class::Throttled, SLOW),
    row("RequestLimitExceeded", "", Class::Throttled, SLOW),
    row("ProvisionedThroughputExceededException", "", Class::Throttled, SLOW),
    row("SlowDown", "", Class::Throttled, SLOW),
    row("RequestThrottled*", "", Class::Throttled, SLOW),
    row("EC2ThrottledException", "", Class::Throttled, SLOW),
    row("BandwidthLimitExceeded", "", Class::Throttled, SLOW),
    // A role that EKS cannot see yet (rows 1, 3, 28). The same codes are permanent with any other message.
    row("InvalidParameterException", "could not be assumed", Class::Transient, SOON),
    row("InvalidParameterException", "does not exist", Class::Transient, SOON),
    row("InvalidParameterException", "Error in role params", Class::Transient, SOON),
    row("InvalidParameterException", "EKS Managed Policies", Class::Transient, SOON),
    row("InvalidParameterException", "policy must include", Class::Transient, SOON),
    row("InvalidRequestException", "could not be assumed", Class::Transient, SOON),
    row("InvalidRequestException", "unable to assume the service-linked role", Class::Transient, SOON),
    row("NoSuchEntity", "role with name", Class::Transient, SOON),
    row("NoSuchEntity", "Scope ARN", Class::Customer, "The permissions boundary is missing: deploy the quick-start again, then retry."),
    row(
        "InvalidRequestException",
        "not authorized to launch instances",
        Class::Customer,
        "The role needs ec2:RunInstances and ec2:CreateTags for the nodes: deploy the quick-start again, then retry. If that does not help, a policy of the organization denies them, for example without a certain tag: delete the cluster and create it with that in its tags, or have an administrator of the organization exempt this account or role.",
    ),
    // EKS asks with the role's permissions (row 25): <https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/2432>.
    row("InvalidRequestException", "not authorized to perform kms:", Class::Customer, KEY),
    // Also while KMS has not heard of a role that was just made: <https://github.com/hashicorp/terraform-provider-aws/issues/49247>.
    row("InvalidParameterException", "Access denied to KMS key", Class::Transient, KEY),
    row(
        "InvalidParameterException",
        "required service principals",
        Class::Customer,
        "Let ec2.amazonaws.com assume the node role (its trust policy), then retry.",
    ),
    row("InvalidParameterException", "specified is not supported", Class::Customer, ADDON),
    row("InvalidParameterException", "unsupported Kubernetes version", Class::Customer, VERSION),
    row("InvalidParameterException", "instance types do not exist", Class::Customer, OFFERING),
    row(
        "InvalidParameterException",
        "publicAccessCidrs",
        Class::Customer,
        "EKS takes only public ranges for the access to its endpoint; delete the cluster and create it with such.",
    ),
    row("InvalidParameterException", "CREATE_FAILED", Class::Transient, SOON),
    row(
        "InvalidParameterException",
        "principalArn is invalid",
        Class::Customer,
        "The administrator's role or user does not exist, or was made just now: then retry in a minute; else delete the cluster and create it with one that exists.",
    ),
    // A tag policy (row 90): <https://github.com/runs-on/runs-on/issues/485>. The code differs from service to service.
    row(
        "",
        "tag policy does not allow",
        Class::Customer,
        "A tag policy of the organization does not allow the value of the tag that the reason names: delete the cluster and create it with a value in its tags that the policy allows.",
    ),
    // Service-linked roles (row 4).
    row(
        "InvalidRequestException",
        "iam:CreateServiceLinkedRole",
        Class::Customer,
        "Add iam:CreateServiceLinkedRole to the role, then retry.",
    ),
    row("InvalidRequestException", "iam:GetRole", Class::Customer, "Add iam:GetRole to the role, then retry."),
    // Just-created ids that EC2 does not know everywhere yet (row 51).
    row("InvalidVpcID.NotFound", "", Class::Transient, SOON),
    row("InvalidSubnetID.NotFound", "", Class::Transient, SOON),
    row("InvalidRouteTableID.NotFound", "", Class::Transient, SOON),
    row("InvalidGroup.NotFound", "", Class::Transient, SOON),
    row("InvalidInternetGatewayID.NotFound", "", Class::Transient, SOON),
    row("InvalidGatewayID.NotFound", "", Class::Transient, SOON),
    row("InvalidAllocationID.NotFound", "", Class::Transient, SOON),
    row("InvalidElasticIpID.NotFound", "", Class::Transient, SOON),
    row("InvalidAddress.NotFound", "", Class::Transient, SOON),
    row("InvalidAssociationID.NotFound", "", Class::Transient, SOON),
    row("InvalidVpcEndpointId.NotFound", "", Class::Transient, SOON),
    // A released address asks after the NAT gateway's interface, which has just gone.
    row("InvalidNetworkInterfaceID.NotFound", "", Class::Transient, WAIT),
    row("InvalidNatGatewayID.NotFound", "", Class::Transient, SOON),
    row("NatGatewayNotFound", "", Class::Transient, SOON),
    row("InvalidLaunchTemplateId.NotFound", "", Class::Transient, SOON),
    // Listed, but gone before they were looked at.
    row("LoadBalancerNotFound", "", Class::Transient, SOON),
    row("TargetGroupNotFound", "", Class::Transient, SOON),
    row(
        "InvalidSnapshot.InUse",
        "",
        Class::Customer,
        "An image was made from the snapshot that the reason names: deregister the image, then retry.",
    ),
    // Work in progress on the same thing (rows 30, 31, 41, 53).
    row("InvalidRequestException", "not in ACTIVE", Class::Transient, WAIT),
    row("InvalidRequestException", "is in invalid state", Class::Transient, WAIT),
    row(
        "ResourceInUseException",
        "nodegroups attached",
        Class::Transient,
        "The cluster has node groups; delete those that Groundwork did not make, then retry.",
    ),
    row("ResourceInUseException", "Fargate Profiles", Class::Transient, "Delete the cluster's Fargate profiles, then retry."),
    row("ResourceInUseException", "", Class::Transient, WAIT),
    row("OperationAborted*", "", Class::Transient, WAIT),
    row("ConcurrentModification", "", Class::Transient, WAIT),
    row("DeleteConflict", "", Class::Transient, WAIT),
    row("DependencyViolation", "", Class::Transient, WAIT),
    row("InvalidIPAddress.InUse", "", Class::Transient, WAIT),
    row("AuthFailure", "You do not have permission to access the specified resource", Class::Transient, WAIT),
    row("NoSuchBucket", "", Class::Transient, SOON),
    // Of a flow log (row 139): <https://github.com/awsdocs/amazon-vpc-user-guide/pull/28>.
    row("", "Access Denied for LogDestination", Class::Customer, UNDELIVERED),
    row(
        "BucketNotEmpty",
        "",
        Class::Transient,
        "Stop what still writes to the bucket (a job, a replication or a log delivery into it); Groundwork tries again by itself.",
    ),
    row(
        "BucketHasAccessPointsAttached",
        "",
        Class::Customer,
        "Delete the access points of the bucket that the reason names (aws s3control list-access-points), then retry.",
    ),
    row("IncorrectState", "", Class::Transient, WAIT),
    row("EntityTemporarilyUnmodifiable", "", Class::Transient, WAIT),
    row(
        "ResourceInUse",
        "associated with another service",
        Class::Customer,
        "Delete the VPC endpoint service (or API Gateway link, or Global Accelerator endpoint) that uses the load balancer that the reason names, then retry.",
    ),
    row(
        "InvalidAddress.Locked",
        "",
        Class::Customer,
        "The address has a reverse DNS record: reset it (EC2 console, Elastic IPs, Update reverse DNS), or ask AWS Support to unlock the address, then retry.",
    ),
    row(
        "IdempotentParameterMismatch",
        "",
        Class::Later,
        "AWS still remembers an earlier attempt, for at most an hour; Groundwork tries again by itself.",
    ),
    row("Gateway.NotAttached", "", Class::Transient, WAIT),
    // The NAT gateway before this one has not let go of the address yet.
    row("Resource.AlreadyAssociated", "Elastic IP", Class::Transient, WAIT),
    row(
        "InvalidRequestException",
        "eletion protection",
        Class::Customer,
        "Turn off the EKS cluster's deletion protection (aws eks update-cluster-config --name <cluster> --no-deletion-protection), then retry.",
    ),
    row("OperationNotPermitted", "deletion protection", Class::Customer, "Turn off the load balancer's deletion protection, then retry."),
    row("ServerException", "", Class::Transient, INSIDE),
    row("RequestTimeout", "", Class::Transient, INSIDE),
    row("PriorRequestNotComplete", "", Class::Transient, INSIDE),
    row("TransactionInProgressException", "", Class::Transient, INSIDE),
    row("InternalError", "", Class::Transient, INSIDE),
    row("ServiceUnavailable*", "", Class::Transient, INSIDE),
    // Sessions and regions (rows 8, 9).
    row("ExpiredToken*", "", Class::Transient, SOON),
    row("RequestExpired", "", Class::Transient, SOON),
    row("InvalidClientTokenId", "", Class::Customer, REGION),
    row("AuthFailure", "", Class::Customer, REGION),
    row("RegionDisabledException", "", Class::Customer, STS_OFF),
    row("OptInRequired", "subscri", Class::Customer, UNFINISHED_SIGN_UP),
    row("OptInRequired", "", Class::Customer, REGION),
    row("SubscriptionRequired*", "", Class::Customer, UNFINISHED_SIGN_UP),
    row("UnrecognizedClientException", "", Class::Customer, REGION),
    row("InvalidToken", "", Class::Customer, REGION),
    row("InvalidAccessKeyId", "", Class::Customer, REGION),
    row("Blocked", "", Class::Customer, RESTRICTED),
    // S3's words for the same.
    row("NotSignedUp", "", Class::Customer, UNFINISHED_SIGN_UP),
    row("AccountProblem", "", Class::Customer, RESTRICTED),
    row("AllAccessDisabled", "", Class::Customer, RESTRICTED),
    row("InvalidParameterCombination", "not eligible for Free Tier", Class::Customer, FREE_PLAN),
    // An account that is new, or new to the region (row 61).
    row("PendingVerification", "", Class::Later, VERIFY),
    row("ValidationError", "is being validated", Class::Later, VERIFY),
    // Quotas and capacity (rows 16, 18, 35, 38, 50).
    row("VpcLimitExceeded", "", Class::Customer, raise!("L-F678F1CE", "VPCs per Region", "vpc", " or delete a VPC")),
    row("AddressLimitExceeded", "", Class::Customer, raise!("L-0263D0A3", "EC2-VPC Elastic IPs", "ec2", " or release an address")),
    row(
        "NatGatewayLimitExceeded",
        "",
        Class::Customer,
        raise!("L-FE5A380F", "NAT gateways per Availability Zone", "vpc", " or delete a NAT gateway in the zone"),
    ),
    row(
        "InternetGatewayLimitExceeded",
        "",
        Class::Customer,
        raise!("L-A4707A72", "Internet gateways per Region", "vpc", " or delete an internet gateway"),
    ),
    row(
        "VpcEndpointLimitExceeded",
        "",
        Class::Customer,
        raise!("L-1B52E74A", "Gateway VPC endpoints per Region", "vpc", " or delete a gateway endpoint"),
    ),
    row("TooManyBuckets", "", Class::Customer, raise!("L-DC2B2D3D", "General purpose buckets", "s3", " or delete a bucket")),
    row("ResourceLimitExceeded*", "Cluster limit", Class::Customer, raise!("L-1194D53C", "Clusters", "eks", " or delete a cluster")),
    row(
        "ResourceLimitExceeded*",
        "odegroup limit",
        Class::Customer,
        raise!("L-6D54EA21", "Managed node groups per cluster", "eks", " or delete a node group"),
    ),
    row("ResourceLimitExceeded*", "", Class::Customer, "Raise the EKS quota that the reason names, then retry."),
    row("LimitExceeded*", "RolesPerAccount", Class::Customer, raise!("L-FE177D64", "Roles per account", "iam", " or delete a role")),
    row("LimitExceeded*", "", Class::Customer, QUOTA),
    row("*LimitExceeded", "", Class::Customer, QUOTA),
    row(
        "UnsupportedAvailabilityZoneException",
        "",
        Class::Customer,
        "EKS cannot create a control plane in one of the cluster's zones; the reason names the zones it can use. Delete the cluster and create it in another region, or ask the operator to exclude the zone.",
    ),
    row("InsufficientFreeAddresses*", "", Class::Customer, SUBNETS),
    row("InvalidRequestException", "IPs in each subnet to be free", Class::Customer, SUBNETS),
    row("InvalidRequestException", "is not supported in your requested Availability Zone", Class::Customer, OFFERING),
    // Names (row 17).
    row(
        "BucketAlreadyExists",
        "",
        Class::Customer,
        "Another account owns a bucket of this name; delete the cluster and create it again to get new names.",
    ),
];

const REGION: &str = "Enable the cluster's region in the account (Account, AWS Regions) and wait until it says Enabled, then retry.";
/// Sessions are opened in the region of the functions, and STS asks whether the role's account has it on there.
const STS_OFF: &str = "AWS STS is turned off in your account for the region in which Groundwork runs: turn it on (IAM, Account settings, Security Token Service), then retry.";
