"""Takes out of policies the conditions that the local AWS does not know, and nothing else.

An Allow loses the condition. A Deny with such a condition is dropped as a whole: without the condition it would deny everything.
"""

# Keys that requests never have here.
NEVER = (
    "aws:ResourceTag/", "ec2:", "eks:", "iam:PermissionsBoundary", "iam:PassedToService", "iam:PolicyARN", "iam:AWSServiceName", "kms:",
)
# Services whose requests have their tags.
WITH_REQUEST_TAGS = ("eks:", "iam:", "logs:")


def stripped(document):
    """A policy document without the unknown conditions."""
    statements = (without_unknown(statement) for statement in listed(document["Statement"]))
    return {**document, "Statement": [statement for statement in statements if statement]}


def without_unknown(statement):
    known, unknown = {}, False
    for operator, keys in statement.get("Condition", {}).items():
        kept = {key: values for key, values in keys.items() if not is_unknown(key, listed(statement.get("Action", [])))}
        unknown = unknown or kept != keys
        known |= {operator: kept} if kept else {}
    if unknown and statement["Effect"] == "Deny":
        return None
    rest = {name: value for name, value in statement.items() if name != "Condition"}
    return rest | ({"Condition": known} if known else {})


def is_unknown(key, actions):
    if key.startswith("aws:RequestTag/"):
        return not all(action.startswith(WITH_REQUEST_TAGS) for action in actions)
    return key.startswith(NEVER)


def listed(value):
    return value if isinstance(value, list) else [value]
