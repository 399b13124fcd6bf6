"""Deploys template.yaml, the same that is deployed to AWS, with the SAM CLI, and with the functions that `make build` built."""

import json

import aws_clients
import cloudformation
import settings
from problem import run

RELEASED = "target/functions/release"
BUILT = "target/functions/local"


def deploy(parameters, stack=settings.STACK):
    """Deploys with these parameters of the template, and returns the stack's outputs."""
    template = settings.STATE / f"{stack}.template.json"
    template.write_text(json.dumps(with_local_functions(cloudformation.template("template.yaml")), indent=1))
    run(
        [
            settings.TOOLS / "sam/bin/sam", "deploy",
            "--template-file", template,
            "--stack-name", stack,
            "--resolve-s3",
            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
            "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
            "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items()),
        ],
        log=settings.STATE / f"{stack}.deploy.log",
        environment=aws_clients.environment(settings.OPERATOR_KEYS) | {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.5"},
    )
    return outputs(stack)


def with_local_functions(template):
    """The folders that it names are found from anywhere, and those of the release are replaced."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in {"CodeUri", "DefinitionUri"} & properties.keys():
            properties[name] = str(settings.REPOSITORY / properties[name].replace(RELEASED, BUILT))
    return template


def outputs(stack=settings.STACK):
    described = aws_clients.operator("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def api_url(stack):
    """The API's address by path. The emulator's host name for it, <id>.execute-api.…, does not resolve on every machine."""
    return f"{settings.EMULATOR_URL}/_aws/execute-api/{stack['ApiId']}"
