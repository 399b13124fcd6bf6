"""Jobs as operators write them, and schedules that send them."""

import json
from datetime import datetime, timedelta, timezone

import aws_clients

# What EventBridge Scheduler replaces at every firing.
KEY_OF_FIRING = "<aws.scheduler.schedule-arn>/<aws.scheduler.scheduled-time>"


def create(tenant, name, key, **more):
    return json.dumps({
        "action": "create",
        "tenant": tenant.name,
        "cluster": tenant.request(name, **more),
        "idempotency_key": key,
    })


def delete(tenant, name, data=None):
    said = {"data": data} if data else {}
    return json.dumps({"action": "delete", "tenant": tenant.name, "name": name} | said)


def schedule_once(service, name, job, seconds_ahead=1):
    """A schedule that fires once and deletes itself, so that the next firing can use the same name."""
    at = datetime.now(timezone.utc) + timedelta(seconds=seconds_ahead)
    aws_clients.operator("scheduler").create_schedule(
        Name=name,
        GroupName=service.stack["JobSchedulesGroup"],
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={"Arn": service.stack["JobsQueueArn"], "RoleArn": service.stack["JobSchedulesRoleArn"], "Input": job},
    )


def keys_of(service, tenant, beginning):
    """The idempotency keys of a tenant that contain a text. A scan: only a test has a table this small."""
    pages = aws_clients.operator("dynamodb").get_paginator("scan").paginate(
        TableName=service.stack["TableName"],
        FilterExpression="begins_with(pk, :tenant) AND contains(pk, :text)",
        ExpressionAttributeValues={":tenant": {"S": f"IDEMPOTENCY#{tenant.name}#"}, ":text": {"S": beginning}},
    )
    found = [item["pk"]["S"] for page in pages for item in page["Items"]]
    return sorted(key.split("#", 2)[2] for key in found)
