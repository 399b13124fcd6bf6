"""The table of permissions and the policies made from it, as the customer gets them."""

import json
from pathlib import Path
from string import Template

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = REPOSITORY / "onboarding/terraform/policies"
EXAMPLE = REPOSITORY / "examples/self-managed"
ROLE = "groundwork"


def rows():
    """{mode, action, resources, conditions, stages, purpose, source, statement, …}, with placeholders."""
    return json.loads((REPOSITORY / "onboarding/permissions.json").read_text())


STAGES = sorted({stage for row in rows() for stage in row["stages"]})


def document(name, account, vpcs=()):
    """A stage's policy, or `boundary`; with what the customer grants of its own VPCs, by their ARNs."""
    own = filled((DOCUMENTS / f"{name}.json").read_text(), account=account)
    named = filled((DOCUMENTS / "customers-network.json").read_text(), account=account, vpcs='", "'.join(vpcs)) if vpcs else {}
    return own | {"Statement": own["Statement"] + [statement for policy, statement in named.items() if policy == name]}


def self_managed(account, region, cluster, buckets, node_role):
    """The policy of the role in self-managed mode, for what the customer made."""
    return example("policy", buckets, account=account, region=region, cluster=cluster, node_role=node_role)


def of_their_pods(name, account, region, cluster, buckets, **_):
    """What the customer gives pods of that kind in a cluster of its own."""
    return example(name, buckets, account=account, region=region, cluster=cluster)


def example(name, buckets, **values):
    arns = [f"arn:aws:s3:::{bucket}" for bucket in buckets]
    listed = {"buckets": '", "'.join(arns), "objects": '", "'.join(f"{arn}/*" for arn in arns)}
    return filled((EXAMPLE / f"{name}.json").read_text(), **listed, **values)


def filled(text, **values):
    """As Terraform's templatefile does: `$$` becomes the dollar of an IAM variable."""
    return json.loads(Template(text).substitute(partition="aws", role=ROLE, **values))


def merged(*documents):
    """One policy with all statements, as AWS combines the policies of a session."""
    statements = [{**statement, "Sid": f"S{index}"} for index, statement in enumerate(statements_of(*documents))]
    return {"Version": "2012-10-17", "Statement": statements}


def whole(account, vpcs=()):
    """Everything that the role may do."""
    return merged(*(document(stage, account, vpcs) for stage in STAGES))


def statements_of(*documents):
    return [statement for one in documents for statement in one["Statement"]]


def grants_of(policy):
    """{action, resources, conditions} for each action of each statement."""
    for statement in policy["Statement"]:
        for action in actions_of(statement):
            yield {"action": action, "resources": resources_of(statement), "conditions": statement.get("Condition", {})}


def actions_of(statement):
    return listed(statement.get("Action", []))


def resources_of(statement):
    return listed(statement.get("Resource", []))


def listed(value):
    return value if isinstance(value, list) else [value]


def without(policy, sid, action):
    """The policy with one action taken out of one statement."""

    def kept(statement):
        if statement.get("Sid") != sid:
            return statement
        return {**statement, "Action": [one for one in actions_of(statement) if one != action]}

    return {**policy, "Statement": [statement for statement in map(kept, policy["Statement"]) if statement["Action"]]}
