"""cloudsplaining and parliament over all that the role may: what they find, less what was judged one by one."""

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

# parliament wants all that a call names in one statement. AWS allows a call if each thing is allowed by any statement, and we want another
# condition for each: the reference is asked for every statement in reference.py, the calls in evaluator.py.
NOT_ASKED = ("RESOURCE_MISMATCH",)

# Finding → why it stays.
JUDGED = {
    "PRIVILEGE_ESCALATION CreateEC2WithExistingIP": (
        "parliament looks at no condition: iam:PassRole goes to eks.amazonaws.com and pods.eks.amazonaws.com only, not to EC2"
    ),
    "RESOURCE_POLICY_PRIVILEGE_ESCALATION s3:PutBucketPolicy": (
        "the policy that refuses plain HTTP has to be put on our buckets; S3 knows no condition on what a policy says."
        " A session reaches its own cluster's buckets only"
    ),
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:AttachRolePolicy": "only to our roles with the boundary, and only five AWS-managed policies",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:CreateRole": "only with the boundary and under our path",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:CreateServiceLinkedRole": "only those of EKS and its node groups; AWS writes what they may",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:DeleteInstanceProfile": "only those with the names that EKS gives",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:DeleteRole": "only our roles",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:DeleteRolePolicy": "only of our roles; takes rights away",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:DetachRolePolicy": "only of our roles; takes rights away",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:PassRole": "only our roles, and each to the service that it is for",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:RemoveRoleFromInstanceProfile": "only those with the names that EKS gives",
    "PERMISSIONS_MANAGEMENT_ACTIONS s3:PutBucketPolicy": "only of our buckets",
    "PERMISSIONS_MANAGEMENT_ACTIONS s3:PutBucketPublicAccessBlock": "only of our buckets",
}

# The same of the policy of self-managed mode.
JUDGED_THEIRS = {
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:CreateServiceLinkedRole": "only that of EKS node groups; AWS writes what it may",
    "PERMISSIONS_MANAGEMENT_ACTIONS iam:PassRole": "only the node role that the customer names, only to EKS",
}


def findings(policy, names):
    """What the linters find, in words; `names` are the actions as AWS writes them."""
    found = by_cloudsplaining(policy) + by_parliament(policy, {name.lower(): name for name in names})
    return sorted(set(found))


def by_cloudsplaining(policy):
    scanned = scan_policy(policy)
    return [f"{risk} {finding}" for risk in RISKS for finding in scanned[risk]["findings"]]


def by_parliament(policy, names):
    found = []
    for finding in parliament.analyze_policy_string(json.dumps(policy), include_community_auditors=True).findings:
        if finding.issue not in NOT_ASKED:
            found += [f"{finding.issue} {what}" for what in about(finding, names)]
    return found


def about(finding, names):
    """A finding about several actions is one for each."""
    if finding.issue == "RESOURCE_POLICY_PRIVILEGE_ESCALATION":
        return [finding.detail.rpartition(" ")[2]]
    if "type" in finding.location:
        return [finding.location["type"]]
    if "actions" in finding.location:
        return [names.get(action, action) for action in finding.location["actions"]]
    return [json.dumps(finding.detail)]
