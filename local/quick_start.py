"""The quick-start as the local AWS can take it: onboarding/quick-start.yaml without the conditions that it does not know."""

import json

import settings
import yaml
from unknown_conditions import stripped

SOURCE = settings.REPOSITORY / "onboarding/quick-start.yaml"


class Loader(yaml.SafeLoader):
    """Writes CloudFormation's short functions out: `!Sub x` as {"Fn::Sub": x}."""


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
