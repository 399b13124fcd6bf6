"""The quick-start for the local AWS: onboarding/quick-start.yaml without the conditions that the local AWS does not know."""

import json

import settings
import yaml
from unknown_conditions import stripped

SOURCE = settings.REPOSITORY / "onboarding/quick-start.yaml"


class Loader(yaml.SafeLoader):
    """Spells out CloudFormation's short forms: `!Sub x` becomes {"Fn::Sub": x}."""


def long_function(loader, suffix, node):
    value = loader.construct_scalar(node)
    if suffix == "GetAtt":
        return {"Fn::GetAtt": value.split(".")}
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", long_function)


def template():
    """As JSON text."""
    quick_start = yaml.load(SOURCE.read_text(), Loader)
    for resource in quick_start["Resources"].values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            resource["Properties"]["PolicyDocument"] = stripped(resource["Properties"]["PolicyDocument"])
    return json.dumps(quick_start, indent=1)
