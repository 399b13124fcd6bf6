"""The quick-start for the local AWS: onboarding/quick-start.yaml without the conditions that the local AWS does not know."""

import json

import cloudformation
from unknown_conditions import stripped


def template():
    """As JSON text."""
    quick_start = cloudformation.template("onboarding/quick-start.yaml")
    for resource in quick_start["Resources"].values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            resource["Properties"]["PolicyDocument"] = stripped(resource["Properties"]["PolicyDocument"])
    return json.dumps(quick_start, indent=1)
