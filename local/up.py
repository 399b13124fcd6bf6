"""Brings the service up on the local AWS, with a tenant, and writes `.local/env`, which says where it is."""

import aws_clients
import cloud
import deploy
import environment
import settings
import tenant
from parameters import PARAMETERS
from problem import explained
from timed import timed


def up(parameters=PARAMETERS):
    with timed("start"):
        cloud.start()
    with timed("deploy"):
        stack = deploy.deploy(parameters)
    with timed("onboard"):
        demo = tenant.bring(stack, settings.DEMO_TENANT, settings.DEMO_ACCOUNT)
    environment.write(demo | outputs(stack) | aws_clients.cli(settings.OPERATOR_KEYS))


def outputs(stack):
    return {
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
    }


def next_commands():
    source = environment.of(settings.DEMO_TENANT).relative_to(settings.REPOSITORY)
    return f"""
  . {source}
  groundwork create research --region {settings.REGION} --instance-types g4dn.xlarge --wait
  groundwork delete research --wait
"""


def main():
    up()
    print(f"Up at {settings.PROXY_URL}. Next:\n{next_commands()}")
    print("The token in it is valid for an hour; `make up` writes a new one.")


if __name__ == "__main__":
    explained(main)
