"""The session of each stage tries the calls of all stages: AWS refuses those of the others and allows its own."""

from policies import STAGES

NOWHERE = "vpc-00000000000000000"

# Action → call. `{id}` is a cluster that has been deleted, so an allowed call finds nothing and changes nothing.
CALLS = {
    "s3:GetBucketTagging": ("s3", "get_bucket_tagging", {"Bucket": "groundwork-{id}-logs"}),
    "s3:DeleteBucket": ("s3", "delete_bucket", {"Bucket": "groundwork-{id}-logs"}),
    "ec2:DescribeVpcs": ("ec2", "describe_vpcs", {}),
    "ec2:DescribeInstances": ("ec2", "describe_instances", {}),
    "ec2:ModifyVpcAttribute": ("ec2", "modify_vpc_attribute", {"VpcId": NOWHERE, "EnableDnsHostnames": {"Value": True}}),
    "ec2:DeleteVpc": ("ec2", "delete_vpc", {"VpcId": NOWHERE}),
    "eks:DescribeCluster": ("eks", "describe_cluster", {"name": "groundwork-full-{id}"}),
    "eks:DeleteNodegroup": ("eks", "delete_nodegroup", {"clusterName": "groundwork-full-{id}", "nodegroupName": "system"}),
    "eks:DeleteAccessEntry": (
        "eks",
        "delete_access_entry",
        {"clusterName": "groundwork-full-{id}", "principalArn": "arn:aws:iam::{account}:role/a"},
    ),
    "iam:ListRoles": ("iam", "list_roles", {}),
    "logs:DeleteLogGroup": ("logs", "delete_log_group", {"logGroupName": "/aws/eks/groundwork-full-{id}/cluster"}),
}
# These would change something, or need something that does not exist. Only sessions that must not make them try them.
OTHERS = {
    "s3:CreateBucket": (
        "s3",
        "create_bucket",
        {"Bucket": "groundwork-{id}-logs", "CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}},
    ),
    "ec2:CreateVpc": ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}),
    "iam:DeleteRole": ("iam", "delete_role", {"RoleName": "groundwork-{id}-node"}),
    "iam:CreateRole": (
        "iam",
        "create_role",
        {"RoleName": "groundwork-{id}-node", "Path": "/groundwork/", "AssumeRolePolicyDocument": "{}"},
    ),
    "eks:CreateNodegroup": (
        "eks",
        "create_nodegroup",
        {"clusterName": "groundwork-full-{id}", "nodegroupName": "n", "subnets": [], "nodeRole": "arn:aws:iam::{account}:role/a"},
    ),
}


def tried(way_in, recorded):
    """{stage, action, own, refusal} for every stage and every call."""
    return [one for stage in STAGES for one in by_stage(way_in, stage, recorded)]


def by_stage(way_in, stage, recorded):
    account = way_in.tenant.account.number
    like = next(one for one in recorded if one["stage"] == stage and f":{account}:" in one["session"] and one["policy_arns"])
    policies = {"PolicyArns": [{"arn": arn} for arn in like["policy_arns"]]}
    if like["inline_policy"]:
        policies["Policy"] = like["inline_policy"]
    session = way_in.session(like["session"].rpartition("/")[2], **policies)
    own = actions_of(way_in.tenant.account, like["policy_arns"])
    calls = CALLS | {action: call for action, call in OTHERS.items() if action not in own}
    for action, (service, call, parameters) in calls.items():
        refusal = session.refusal(service, call, filled(parameters, id=like["cluster"], account=account))
        yield {"stage": stage, "action": action, "own": action in own, "refusal": refusal}


def actions_of(account, arns):
    """The actions that the managed policies in the customer's account allow."""
    iam = account.client("iam")
    found = set()
    for arn in arns:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        policy = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        for statement in policy["Statement"]:
            found.update([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    return found


def filled(value, **names):
    """The same value, with `{id}` and the like replaced in every text."""
    if isinstance(value, str):
        return value if value == "{}" else value.format(**names)
    if isinstance(value, dict):
        return {key: filled(one, **names) for key, one in value.items()}
    return value
