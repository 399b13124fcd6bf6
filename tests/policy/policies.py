"""The table of permissions and the policies made from it, as the customer gets them."""

import json
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = REPOSITORY / "onboarding/terraform/policies"
STAGES = ("assume-role", "create-buckets", "create-eks", "create-nodegroups", "teardown")
ROLE = "groundwork"


def rows():
    """{action, resources, conditions, stages, purpose, source, statement, …}, placeholders and all."""
    return json.loads((REPOSITORY / "onboarding/permissions.json").read_text())


def document(name, account):
    """A stage's policy, or `boundary`."""
    return json.loads(filled((DOCUMENTS / f"{name}.json").read_text(), account))


def filled(text, account):
    for placeholder, value in {"partition": "aws", "account": account, "role": ROLE}.items():
        text = text.replace("${" + placeholder + "}", value)
    return text


def merged(*documents):
    """AWS counts the policies of a session as one set."""
    statements = [{**statement, "Sid": f"S{index}"} for index, statement in enumerate(statements_of(*documents))]
    return {"Version": "2012-10-17", "Statement": statements}


def whole(account):
    """All that the role may."""
    return merged(*(document(stage, account) for stage in STAGES))


def statements_of(*documents):
    return [statement for one in documents for statement in one["Statement"]]


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
