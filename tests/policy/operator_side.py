"""The policies of the operator's own functions, in template.yaml: no wildcard action, and `*` only where AWS knows nothing narrower.

What is not written there is not judged, so nothing may come from elsewhere: no managed policy, and no role that SAM makes.
"""

import reference
import yaml
from policies import REPOSITORY, listed

WITH_A_ROLE = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")


class Intrinsics(yaml.SafeLoader):
    """CloudFormation's short forms as they come: `!Sub x` is x, `!GetAtt a.Arn` is a.Arn."""


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
        return [f"{action}: no action that AWS knows"]
    wide = [f"{action}: `*`, though AWS knows {', '.join(reference.types(action))}"]
    return wide if "*" in resources and reference.types(action) else []


def statements(part, path):
    """Every statement that allows something of resources, with its place; a key's or queue's own policy has its resource by being there."""
    if isinstance(part, dict):
        if part.get("Effect") == "Allow" and "Resource" in part and "Principal" not in part:
            yield ".".join(path[:2]), part
        for name, one in part.items():
            yield from statements(one, (*path, str(name)))
    elif isinstance(part, list):
        for index, one in enumerate(part):
            yield from statements(one, (*path, str(index)))
