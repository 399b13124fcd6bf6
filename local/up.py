"""Brings the service up on the local AWS, with a customer, and writes `.local/env`, which says where it is."""

import aws_clients
import cloud
import demo_customer
import deploy
import environment
import settings
import sign_in
from parameters import PARAMETERS
from problem import explained, run
from timed import timed


def up(parameters=PARAMETERS):
    with timed("start"):
        cloud.start()
    with timed("deploy"):
        stack = deploy.deploy(parameters)
        publish()
    with timed("onboard"):
        api_url = deploy.api_url(stack)
        token = sign_in.token(stack, settings.DEMO_TENANT)
        wanted = demo_customer.onboarding(api_url, token)
        role_arn = demo_customer.grant(wanted)
    environment.write(variables(stack, api_url, token, wanted, role_arn))


def publish():
    """Uploads what customers deploy, as an operator has to after each deployment."""
    run(
        ["make", "-C", settings.REPOSITORY, "publish", f"AWS={settings.TOOLS / 'test/bin/aws'}", f"STACK={settings.STACK}"],
        log=settings.STATE / "publish.log",
        environment=aws_clients.environment(settings.OPERATOR_KEYS),
    )


def variables(stack, api_url, token, wanted, role_arn):
    return {
        "GROUNDWORK_API_URL": api_url,
        "GROUNDWORK_TOKEN": token,
        "GROUNDWORK_TENANT": settings.DEMO_TENANT,
        "GROUNDWORK_JOBS_QUEUE_URL": stack["JobsQueueUrl"],
        "GROUNDWORK_JOBS_QUEUE_ARN": stack["JobsQueueArn"],
        "GROUNDWORK_JOBS_DEAD_LETTERS_URL": stack["JobsDeadLettersUrl"],
        "GROUNDWORK_JOB_SCHEDULES_GROUP": stack["JobSchedulesGroup"],
        "GROUNDWORK_JOB_SCHEDULES_ROLE_ARN": stack["JobSchedulesRoleArn"],
        "GROUNDWORK_TABLE": stack["TableName"],
        "GROUNDWORK_PROVISION_ARN": stack["ProvisionArn"],
        "GROUNDWORK_TEARDOWN_ARN": stack["TeardownArn"],
        "GROUNDWORK_USER_POOL_ID": stack["UserPoolId"],
        "GROUNDWORK_CLIENT_ID": stack["UserPoolClientId"],
        "GROUNDWORK_STACK": settings.STACK,
        "DEMO_ACCOUNT_ID": settings.DEMO_ACCOUNT,
        "DEMO_ROLE_ARN": role_arn,
        "DEMO_EXTERNAL_ID": wanted["external_id"],
        "AWS_ENDPOINT_URL": settings.EMULATOR_URL,
        "AWS_REGION": settings.REGION,
        "AWS_DEFAULT_REGION": settings.REGION,
        "AWS_ACCESS_KEY_ID": settings.OPERATOR_KEYS[0],
        "AWS_SECRET_ACCESS_KEY": settings.OPERATOR_KEYS[1],
    }


def main():
    up()
    print(f"Up at {settings.EMULATOR_URL}. Next: . {environment.FILE.relative_to(settings.REPOSITORY)}")
    print("The token in it is valid for an hour; `make up` writes a new one.")


if __name__ == "__main__":
    explained(main)
