"""The policies of the operator's own functions, in template.yaml: no wildcard actions, and `*` only for actions without resources.

Only what is written there is judged, so nothing may come from elsewhere: no managed policies, and no roles that SAM makes.
"""

import reference
import yaml
from policies import REPOSITORY, listed

WITH_A_ROLE = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")


class Intrinsics(yaml.SafeLoader):
    """Drops the names of CloudFormation's short forms: `!Sub x` is x, `!GetAtt a.Arn` is a.Arn."""


def plain(loader, _, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else loader.construct_mapping(node, deep=True)


Intrinsics.add_multi_constructor("!", plain)


def faults():
    template = yaml.load((REPOSITORY / "template.yaml").read_text(), Intrinsics)
    found = from_elsewhere(template["Resources"])
    for where, statement in statements(template["Resources"], ()):
        found += [
            f"{where}: {fault}" for action in listed(statement["Action"]) for fault in faults_of(action, listed(statement["Resource"]))
        ]
    return found


def from_elsewhere(resources):
    found = [f"{name}: managed policies" for name, one in resources.items() if "ManagedPolicyArns" in one.get("Properties", {})]
    for name, one in resources.items():
        if one["Type"] in WITH_A_ROLE and one["Properties"].get("Role") != f"{name}Role.Arn":
            found.append(f"{name}: no role of its own")
    return found


def faults_of(action, resources):
    if "*" in action or not reference.privilege(action):
        return [f"{action}: AWS has no such action"]
    wide = [f"{action}: `*`, although it could name {', '.join(reference.types(action))}"]
    return wide if "*" in resources and reference.types(action) else []


def statements(part, path):
    """Every statement that allows something on resources, with its place. Policies of keys and queues are not among them."""
    if isinstance(part, dict):
        if part.get("Effect") == "Allow" and "Resource" in part and "Principal" not in part:
            yield ".".join(path[:2]), part
        for name, one in part.items():
            yield from statements(one, (*path, str(name)))
    elif isinstance(part, list):
        for index, one in enumerate(part):
            yield from statements(one, (*path, str(index)))
