"""The policies of the operator's own functions, in template.yaml: no wildcard action, and `*` only where AWS knows nothing narrower."""

import reference
import yaml
from policies import REPOSITORY, listed


class Intrinsics(yaml.SafeLoader):
    """CloudFormation's short forms as they come: `!Sub x` is x, `!GetAtt a.Arn` is a.Arn."""


def plain(loader, _, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else loader.construct_mapping(node, deep=True)


Intrinsics.add_multi_constructor("!", plain)


def faults():
    template = yaml.load((REPOSITORY / "template.yaml").read_text(), Intrinsics)
    found = []
    for where, statement in statements(template["Resources"], ()):
        found += [
            f"{where}: {fault}" for action in listed(statement["Action"]) for fault in faults_of(action, listed(statement["Resource"]))
        ]
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
