"""The demo's customer: a user with a token, and an account of its own with the quick-start's role."""

import secrets

import requests

import clients
import quick_start
import settings
from problem import Problem, run


def token(stack, name=settings.DEMO_TENANT):
    """Makes the tenant's user as an admin would, and signs in. The ID token is the one with the tenant in it."""
    cognito = clients.operator("cognito-idp")
    pool = stack["UserPoolId"]
    password = secrets.token_urlsafe(24) + "aA1!"
    make_user(cognito, pool, name, password)
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    signed_in = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=stack["UserPoolClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    return signed_in["AuthenticationResult"]["IdToken"]


def make_user(cognito, pool, tenant, password):
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=tenant,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "custom:tenant", "Value": tenant}],
        )
    except cognito.exceptions.UsernameExistsException:
        pass


def onboarding(api_url, bearer):
    """What the customer has to grant, from the service itself."""
    answer = requests.get(f"{api_url}/onboarding", headers={"Authorization": f"Bearer {bearer}"}, timeout=30)
    if answer.status_code != 200:
        raise Problem(f"GET /onboarding answered {answer.status_code}: {answer.text}")
    return answer.json()


def grant(wanted):
    """Deploys the quick-start in the customer's account, and answers the role's ARN."""
    stack_name = "groundwork-onboarding"
    template = settings.STATE / "quick-start.json"
    template.write_text(quick_start.template())
    run(
        [
            settings.TOOLS / "test/bin/aws", "cloudformation", "deploy",
            "--template-file", template,
            "--stack-name", stack_name,
            "--capabilities", "CAPABILITY_NAMED_IAM",
            "--no-fail-on-empty-changeset",
            "--parameter-overrides",
            f"OperatorAccountId={wanted['principal']['account_id']}",
            f"OperatorPrincipalPattern={wanted['principal']['pattern']}",
            f"ExternalId={wanted['external_id']}",
        ],
        log=settings.STATE / "onboard.log",
        environment=clients.environment(settings.DEMO_KEYS),
    )
    stack = clients.customer("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "RoleArn")
