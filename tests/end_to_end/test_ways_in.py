"""Three ways in (HTTP, the queue, schedules) with one path behind them."""

import json

import aws_clients
import jobs
import pytest
from waiting import until


def test_a_request_over_http_becomes_a_running_cluster(tenant):
    answer = tenant.call("POST", "/clusters", tenant.request("over-http"))
    assert (answer.status_code, answer.headers["Location"]) == (202, "/clusters/over-http")
    assert answer.json()["status"] == "queued"
    cluster = tenant.wait("over-http", "running")
    assert cluster["outputs"]["endpoint"].startswith("https://")
    assert {resource["state"] for resource in cluster["resources"]} == {"ready"}
    assert [event["actor"].split(":")[0] for event in tenant.requested("over-http")] == ["tenant"]


def test_a_job_delivered_three_times_makes_one_running_cluster_that_names_its_sender(service, tenant):
    job = jobs.create(tenant, "by-job", "monday")
    service.send(job, job, job)
    cluster = tenant.wait("by-job", "running")
    accepted = lambda: service.log_lines("jobs", cluster["id"])  # noqa: E731
    until(lambda: len(accepted()) >= 3, "all three deliveries are answered with the same cluster")
    assert [found["id"] for found in tenant.list()] == [cluster["id"]]
    requested = tenant.requested("by-job")
    sender = aws_clients.operator("sts").get_caller_identity()["Account"]
    assert [event["actor"] for event in requested] == [f"queue:{sender}"]
    assert len(service.executions("Provision", cluster["id"])) == 1


def test_invalid_jobs_end_in_the_dead_letter_queue_and_do_not_harm_other_jobs(service, tenant):
    sick = f"sick-{tenant.name}"
    poison = [
        f"{{not JSON, {sick}",
        json.dumps({"action": "explode", "tenant": tenant.name, "name": sick}),
        json.dumps({"action": "create", "tenant": tenant.name, "cluster": {"name": sick, "region": "mars"}}),
        json.dumps({"action": "delete", "tenant": tenant.name, "name": sick}),
        json.dumps({"action": "create", "tenant": tenant.name, "cluster": tenant.request(sick, padding="x" * 65536)}),
    ]
    service.send(poison[0], poison[1], jobs.create(tenant, "healthy", "healthy"), *poison[2:])
    tenant.wait("healthy", "running")
    dead = set()
    until(lambda: dead_letters(service, dead, sick) == set(poison), "all invalid jobs are in the dead-letter queue")
    assert [cluster["name"] for cluster in tenant.list()] == ["healthy"]


def dead_letters(service, seen, text):
    """Adds to `seen` what the dead-letter queue hands out: at most ten messages at a time."""
    queue = service.stack["JobsDeadLettersUrl"]
    answer = aws_clients.operator("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=1)
    seen.update(message["Body"] for message in answer.get("Messages", []) if text in message["Body"])
    return seen


def test_every_firing_of_a_schedule_makes_one_job_and_counts_once(service, tenant):
    schedule = f"{tenant.name}-gpus"
    job = jobs.create(tenant, "scheduled", jobs.KEY_OF_FIRING)

    jobs.schedule_once(service, schedule, job)
    first = tenant.wait("scheduled", "running")
    tenant.gone("scheduled")
    jobs.schedule_once(service, schedule, job)
    second = until(lambda: another(tenant, first), "the second firing makes another cluster")

    keys = jobs.keys_of(service, tenant, f"/{schedule}/")
    assert len(keys) == 2 and len({key.rsplit("/", 1)[0] for key in keys}) == 1, keys
    deliver_again(service, tenant, job, keys[-1], second)
    tenant.wait("scheduled", "running")
    tenant.gone("scheduled")
    deliver_again(service, tenant, job, keys[-1], second)
    assert tenant.show("scheduled")["status"] == "deleted"
    assert {cluster["id"] for cluster in tenant.list()} <= {first["id"], second["id"]}


def test_a_schedule_outside_the_group_that_its_role_trusts_is_refused(service):
    """AWS does so, and the command of docs/operate.md names the group because of it."""
    scheduler = aws_clients.operator("scheduler")
    target = {"Arn": service.stack["JobsQueueArn"], "RoleArn": service.stack["JobSchedulesRoleArn"]}
    schedule = {"Name": "outside", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    with pytest.raises(scheduler.exceptions.ValidationException, match="must allow AWS EventBridge Scheduler to assume the role"):
        scheduler.create_schedule(**schedule)
    scheduler.create_schedule(**schedule, GroupName=service.stack["JobSchedulesGroup"])
    scheduler.delete_schedule(Name="outside", GroupName=service.stack["JobSchedulesGroup"])


def another(tenant, first):
    cluster = tenant.show("scheduled")
    return cluster if cluster["id"] != first["id"] else None


def deliver_again(service, tenant, job, key, cluster):
    """SQS delivers at least once, so the message of a firing may come again."""
    before = len(service.log_lines("jobs", cluster["id"]))
    service.send(job.replace(jobs.KEY_OF_FIRING, key))
    until(lambda: len(service.log_lines("jobs", cluster["id"])) > before, "the job is answered")
