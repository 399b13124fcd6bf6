"""The local AWS: ministack, with its gaps mended, so that the product does not have to know of them.

* AWS replaces <aws.scheduler.…> in a schedule's input at every firing; ministack does not, and looks
  for due schedules only every ten seconds.
* There is no TLS here. A bucket policy that refuses requests without it would lock everybody out,
  so every request counts as one that came over TLS.
* AWS refuses to associate a subnet with a route table twice, and refuses subnets that overlap. ministack
  allows both when an SDK repeats a call whose answer was lost.
* The gaps in IAM are mended in iam_mends.py, and the functions' clock is minded in clock_mends.py.
"""

import json
from datetime import datetime, timezone
from ipaddress import ip_network

import clock
import clock_mends
import iam_mends
from ministack import app
from ministack.core import iam_evaluator
from ministack.services import ec2, eventbridge, scheduler

SECONDS_BETWEEN_LOOKS = 1


def scheduled_time(schedule, fired_at):
    """When the firing was due: known for at(), otherwise taken to be the time at which it happened."""
    due_at = scheduler._at_time_epoch(schedule["ScheduleExpression"]) or fired_at
    return datetime.fromtimestamp(due_at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def with_context_attributes(invoke_target):
    """How EventBridge and the scheduler both call a target, mended for the scheduler."""

    def invoke(target, event, rule, view=None):
        if event.get("Source") == "aws.scheduler":
            target = {**target, "Input": input_of_firing(rule, event)}
        return invoke_target(target, event, rule, view)

    return invoke


def with_secure_transport(resolve):
    """The lookup of a condition key, with aws:SecureTransport always true."""

    def resolve_key(key, context):
        if key.lower() == "aws:securetransport":
            return "true"
        return resolve(key, context)

    return resolve_key


def once_for_each_subnet(associate):
    """EC2's AssociateRouteTable, which refuses a subnet that already has a route table."""

    def associate_route_table(parameters):
        subnet = ec2._p(parameters, "SubnetId")
        tables = ec2._route_tables.values()
        if any(association.get("SubnetId") == subnet for table in tables for association in table["Associations"]):
            message = f"The subnet {subnet} conflicts with an existing association"
            return ec2._error("Resource.AlreadyAssociated", message, 400)
        return associate(parameters)

    return associate_route_table


def refusing_overlaps(create):
    """EC2's CreateSubnet, which refuses a subnet that overlaps another one of its VPC."""

    def create_subnet(parameters):
        block = ip_network(ec2._p(parameters, "CidrBlock"))
        inside = (subnet for subnet in ec2._subnets.values() if subnet["VpcId"] == ec2._p(parameters, "VpcId"))
        if any(ip_network(subnet["CidrBlock"]).overlaps(block) for subnet in inside):
            return ec2._error("InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet", 400)
        return create(parameters)

    return create_subnet


clock_mends.mend(str(clock.LIBRARY))
iam_mends.mend()
iam_evaluator._resolve_condition_key = with_secure_transport(iam_evaluator._resolve_condition_key)
ec2._ACTION_MAP["AssociateRouteTable"] = once_for_each_subnet(ec2._ACTION_MAP["AssociateRouteTable"])
ec2._ACTION_MAP["CreateSubnet"] = refusing_overlaps(ec2._ACTION_MAP["CreateSubnet"])
eventbridge._invoke_target = with_context_attributes(eventbridge._invoke_target)
scheduler._SCHEDULE_TICK_INTERVAL = SECONDS_BETWEEN_LOOKS

if __name__ == "__main__":
    app.main()
