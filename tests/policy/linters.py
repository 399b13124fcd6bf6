"""cloudsplaining and parliament, over everything that the role may do, and the findings that were judged one by one."""

import json

import parliament
from cloudsplaining.command.scan_policy_file import scan_policy

RISKS = (
    "PrivilegeEscalation",
    "DataExfiltration",
    "ResourceExposure",
    "CredentialsExposure",
    "ServiceWildcard",
    "InfrastructureModification",
)

# parliament wants everything that a call names in one statement. AWS allows a call if each thing is allowed by any statement, and we want a
# different condition for each. reference.py checks every statement against the reference, and evaluator.py the calls.
NOT_ASKED = ("RESOURCE_MISMATCH",)

# Finding → why it stays.
JUDGED = {
    "CREDENTIALS_EXPOSURE sts:AssumeRole": "only our own role in a cluster, which may do nothing in AWS",
    "PRIVILEGE_ESCALATION AttachRolePolicy": (
        "cloudsplaining ignores resources: the roles that get a policy are others than the one that may be assumed, which gets none"
    ),
    "PRIVILEGE_ESCALATION CreateEC2WithExistingIP": (
        "parliament ignores conditions: iam:PassRole is for eks.amazonaws.com and pods.eks.amazonaws.com only, not for EC2"
    ),
    "RESOURCE_POLICY_PRIVILEGE_ESCALATION s3:PutBucketPolicy": (
        "our buckets need a policy that refuses plain HTTP, and S3 has no condition on what a policy says."
        " A session can reach only the buckets of its own cluster"
    ),
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:AttachRolePolicy": "only to our roles with a boundary, only six AWS-managed policies and the quick-start's for pods",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:CreateRole": "only with a boundary of the quick-start's and under our path",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:CreateServiceLinkedRole": "only those of EKS, its node groups and EC2 Spot; AWS decides what they may do",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:DeleteRole": "only our roles",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:DeleteRolePolicy": "only of our roles; it takes permissions away",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:DetachRolePolicy": "only of our roles; it takes permissions away",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:PassRole": "only our roles, and each only to the service that it is for",
    "PERMISSIONS_MANAGEMENT_ACTIONS kms:CreateGrant": "only of keys with the customer's tag",
    "PERMISSIONS_MANAGEMENT_ACTIONS s3:PutBucketPolicy": "only of our buckets",
    "PERMISSIONS_MANAGEMENT_ACTIONS s3:PutBucketPublicAccessBlock": "only of our buckets",
}

# The same for the policy of self-managed mode.
JUDGED_THEIRS = {
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:CreateServiceLinkedRole": "only those of EKS node groups and EC2 Spot; AWS decides what they may do",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:PassRole": "only the node role that the customer names, only to EKS",
}


def findings(policy, names):
    """What the linters find, as text. `names` are the actions as AWS spells them."""
    found = by_cloudsplaining(policy) + by_parliament(policy, {name.lower(): name for name in names})
    return sorted(set(found))


def by_cloudsplaining(policy):
    scanned = scan_policy(policy)
    return [f"{risk} {finding}" for risk in RISKS for finding in scanned[risk]["findings"]]


def by_parliament(policy, names):
    found = []
    for finding in parliament.analyze_policy_string(json.dumps(plain(policy)), include_community_auditors=True).findings:
        if finding.issue not in NOT_ASKED:
            found += [f"{finding.issue} {what}" for what in about(finding, names)]
    return found


def plain(policy):
    """The same policy; parliament does not know that a Bool may have its value in a list."""

    def statement(one):
        booleans = {key: values[0] if isinstance(values, list) else values for key, values in one.get("Condition", {}).get("Bool", {}).items()}
        return one | {"Condition": one["Condition"] | {"Bool": booleans}} if booleans else one

    return policy | {"Statement": [statement(one) for one in policy["Statement"]]}


def about(finding, names):
    """A finding about several actions counts as one for each."""
    if finding.issue == "RESOURCE_POLICY_PRIVILEGE_ESCALATION":
        return [finding.detail.rpartition(" ")[2]]
    if "type" in finding.location:
        return [finding.location["type"]]
    if "actions" in finding.location:
        return [names.get(action, action) for action in finding.location["actions"]]
    return [json.dumps(finding.detail)]
