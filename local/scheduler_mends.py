"""EventBridge Scheduler of the local AWS, mended.

* AWS replaces <aws.scheduler.…> in a schedule's input at every firing; ministack does not, and looks for due schedules only every ten
  seconds.
* AWS assumes a schedule's role for its group, and refuses a schedule whose role does not let it in:
  https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
  https://github.com/aws/aws-sdk-js-v3/issues/6494 has the error. ministack does not look at the role.
* On AWS a stack whose schedule is refused, or is there already, fails; ministack's CloudFormation does not look at the answer.
"""

import json
from datetime import datetime, timezone

from ministack.core import iam_evaluator, responses
from ministack.services import eventbridge, iam, scheduler

SECONDS_BETWEEN_LOOKS = 1
PRINCIPAL = "scheduler.amazonaws.com"


class Refused(ValueError):
    """Not caught by CloudFormation, so that the stack fails."""

    def __init__(self, answer):
        super().__init__(answer[2].decode())
        self.answer = answer


def mend():
    eventbridge._invoke_target = with_context_attributes(eventbridge._invoke_target)
    scheduler._SCHEDULE_TICK_INTERVAL = SECONDS_BETWEEN_LOOKS
    scheduler._create_schedule = refusing(scheduler._create_schedule)
    scheduler._update_schedule = refusing(scheduler._update_schedule)
    scheduler.handle_request = with_refusals(scheduler.handle_request)


def with_context_attributes(invoke_target):
    """How EventBridge and the scheduler both call a target, mended for the scheduler."""

    def invoke(target, event, rule, view=None):
        if event.get("Source") == "aws.scheduler":
            target = {**target, "Input": input_of_firing(rule, event)}
        return invoke_target(target, event, rule, view)

    return invoke


def input_of_firing(schedule, event):
    """The schedule's input with its context attributes replaced, as AWS does."""
    attributes = {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": scheduled_time(schedule, event["Time"]),
        "execution-id": event["EventId"],
        "attempt-number": "1",
    }
    text = schedule["Target"].get("Input", "")
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", json.dumps(value)[1:-1])
    return text


def scheduled_time(schedule, fired_at):
    """When the firing was due: known for at(), otherwise taken to be the time at which it happened."""
    due_at = scheduler._at_time_epoch(schedule["ScheduleExpression"]) or fired_at
    return datetime.fromtimestamp(due_at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def refusing(write):
    def write_schedule(name, body):
        role = body.get("Target", {}).get("RoleArn")
        if role and not lets_in(role, scheduler._group_arn(body.get("GroupName", "default"))):
            message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            raise Refused(scheduler._error(400, "ValidationException", message))
        answer = write(name, body)
        if answer[0] >= 400:
            raise Refused(answer)
        return answer

    return write_schedule


def lets_in(role_arn, group_arn):
    """Whether the role's trust lets in Scheduler for the group."""
    account = responses.get_account_id()
    role = iam._roles.get(role_arn.split("/")[-1])
    if not role or role["Arn"] != role_arn:
        return False
    trust = json.loads(role["AssumeRolePolicyDocument"])
    for_service = [one for one in trust["Statement"] if iam_evaluator._service_principal_matches(one.get("Principal"), PRINCIPAL)]
    root = f"arn:aws:iam::{account}:root"
    asked = iam_evaluator.EvalContext(
        principal_arn=root,
        principal_type="Root",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=responses.get_region(),
        service_context={"aws:sourceaccount": account, "aws:sourcearn": group_arn},
    )
    # To ministack a service is the account's root.
    return iam_evaluator.evaluate_trust_policy({**trust, "Statement": for_service}, root, asked)


def with_refusals(handle):
    async def handle_request(*request):
        try:
            return await handle(*request)
        except Refused as refused:
            return refused.answer

    return handle_request
