"""What others have asked customers to grant, compared with what Groundwork asks for."""

import reference
from policies import actions_of, resources_of, statements_of

# Grid's documentation of its own clouds, "Prerequisites": three wildcards and nine AWS-managed policies. Of each policy, only the services
# that it grants completely are counted, not the few single actions that some of them also have.
GRID = {
    "its own": ["eks:*", "ecr:*", "events:*"],
    "AmazonEC2FullAccess": ["ec2:*", "elasticloadbalancing:*", "cloudwatch:*", "autoscaling:*"],
    "AmazonGuardDutyFullAccess": ["guardduty:*"],
    "AmazonRoute53ResolverFullAccess": ["route53resolver:*"],
    "AmazonS3FullAccess": ["s3:*", "s3-object-lambda:*"],
    "AmazonSNSFullAccess": ["sns:*"],
    "AmazonSQSFullAccess": ["sqs:*"],
    # Included in ec2:*.
    "AmazonVPCFullAccess": [],
    "CloudWatchLogsFullAccess": ["logs:*"],
    "IAMFullAccess": ["iam:*"],
}
# Three of Lightning's fifteen service wildcards. The names of the others are not known to us, so they are not counted.
LIGHTNING = ["iam:*", "s3:*", "ec2:*"]
LIGHTNING_WILDCARDS = 15


def table(policy):
    """Rows: whose, actions, actions on `*` that could be narrower, actions that change permissions, wildcards."""
    grid = [wildcard for policies in GRID.values() for wildcard in policies]
    return [
        ("Grid, managed", *of_wildcards(grid), f"{len(grid)}"),
        ("Lightning", *of_wildcards(LIGHTNING), f"{LIGHTNING_WILDCARDS}"),
        ("Groundwork", *ours(policy), "0"),
    ]


def of_wildcards(wildcards):
    actions = {action for wildcard in wildcards for action in reference.expanded(wildcard)}
    return f"at least {len(actions):,}", f"at least {count(actions, is_narrowable):,}", f"at least {count(actions, is_about_permissions):,}"


def ours(policy):
    statements = statements_of(policy)
    actions = {action for statement in statements for action in actions_of(statement)}
    wide = {action for one in statements if "*" in resources_of(one) for action in actions_of(one)}
    return f"{len(actions)}", f"{count(wide, is_narrowable)}", f"{count(actions, is_about_permissions)}"


def count(actions, holds):
    return sum(1 for action in actions if holds(action))


def is_narrowable(action):
    return bool(reference.types(action))


def is_about_permissions(action):
    return reference.privilege(action)["access_level"] == "Permissions management"
