"""The service under test, deployed once in a run by the worker that comes first."""

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass

import aws_clients
import deploy
import environment
import settings
import up
from parameters import PARAMETERS

RUN = os.environ["GROUNDWORK_TEST_RUN"]


@dataclass
class Service:
    variables: dict
    stack: dict

    @property
    def url(self):
        return self.variables["GROUNDWORK_API_URL"]

    def send(self, *jobs):
        """Puts jobs on the queue in one call. The texts are sent unchanged."""
        entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(jobs)]
        sent = aws_clients.operator("sqs").send_message_batch(QueueUrl=self.stack["JobsQueueUrl"], Entries=entries)
        assert not sent.get("Failed"), sent

    def records(self, partition):
        """All items of one partition of the table."""
        pages = aws_clients.operator("dynamodb").get_paginator("query").paginate(
            TableName=self.stack["TableName"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
        )
        return [item for page in pages for item in page["Items"]]

    def log_lines(self, function, containing):
        """The lines of a function's log that contain a text."""
        pages = aws_clients.operator("logs").get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{settings.STACK}-{function}", filterPattern=f'"{containing}"'
        )
        return [event["message"] for page in pages for event in page["events"]]

    def executions(self, machine, cluster_id):
        """The executions of `Provision` or `Teardown` for one cluster."""
        pages = aws_clients.operator("stepfunctions").get_paginator("list_executions").paginate(
            stateMachineArn=self.stack[f"{machine}Arn"]
        )
        return [one for page in pages for one in page["executions"] if one["name"].startswith(cluster_id)]

    def sweep(self):
        """Runs sweep as its schedule does."""
        answer = aws_clients.operator("lambda").invoke(FunctionName=f"{settings.STACK}-sweep", Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()


def brought_up(parameters=PARAMETERS):
    with one_at_a_time() as last_run:
        if last_run.read() != RUN:
            up.up(parameters)
            last_run.seek(0)
            last_run.truncate()
            last_run.write(RUN)
    return Service(environment.read(), deploy.outputs())


@contextmanager
def one_at_a_time():
    settings.STATE.mkdir(parents=True, exist_ok=True)
    path = settings.STATE / "last-run"
    path.touch()
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
