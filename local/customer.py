"""A customer's account with the quick-start's role in it."""

import requests

import aws_clients
import settings
from problem import Problem, run


def onboarding(api_url, bearer):
    """What the customer has to grant, as the service says."""
    answer = requests.get(f"{api_url}/onboarding", headers={"Authorization": f"Bearer {bearer}"}, timeout=30)
    if answer.status_code != 200:
        raise Problem(f"GET /onboarding answered {answer.status_code}: {answer.text}")
    return answer.json()


def grant(account, wanted):
    """Deploys the quick-start in the account, and returns the role's ARN."""
    keys, stack_name = (account, "test"), "groundwork-onboarding"
    run(
        [
            settings.TOOLS / "test/bin/aws", "cloudformation", "deploy",
            "--template-file", settings.REPOSITORY / "onboarding/quick-start.yaml",
            "--stack-name", stack_name,
            "--capabilities", "CAPABILITY_NAMED_IAM",
            "--no-fail-on-empty-changeset",
            "--parameter-overrides",
            f"OperatorAccountId={wanted['principal']['account_id']}",
            f"OperatorPrincipalPattern={wanted['principal']['pattern']}",
            f"ExternalId={wanted['external_id']}",
        ],
        log=settings.STATE / "onboard.log",
        environment=aws_clients.environment(keys),
    )
    stack = aws_clients.client("cloudformation", keys).describe_stacks(StackName=stack_name)["Stacks"][0]
    return next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "RoleArn")
