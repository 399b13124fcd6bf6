"""Processes die, executions are stopped, and some never begin: the cluster gets there all the same."""

import random
import threading

import clients
import census
import processes
from waiting import until


def test_a_cluster_gets_to_running_and_away_while_function_processes_are_killed(tenant):
    before = census.census(tenant.account)
    cluster = tenant.create("hunted")
    with Hunter() as hunter:
        tenant.wait("hunted", "running", seconds=200)
    print("killed:", hunter.killed)
    assert hunter.killed
    owned = census.owned(tenant.account, cluster["id"])
    assert set(owned.values()) == {1}, owned
    tenant.gone("hunted")
    assert census.census(tenant.account) == before


class Hunter:
    """Kills function processes at random moments, so many at the most: each costs its cluster the rest of a lease."""

    MOST = 12

    def __init__(self):
        self.killed = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.hunt)

    def hunt(self):
        while len(self.killed) < self.MOST and not self.stopped.wait(random.uniform(0.05, 0.8)):
            victim = processes.kill_one()
            self.killed += [victim] if victim else []

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def test_a_stopped_execution_is_noticed_and_the_cluster_still_gets_to_running(tenant, service):
    cluster = tenant.create("stopped")
    until(lambda: len(tenant.events("stopped")) > 20, "the creation is under way", every=0.05)
    [execution] = service.executions("Provision", cluster["id"])
    clients.operator("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    tenant.wait("stopped", "running")
    assert "sweep" in {event["actor"] for event in tenant.events("stopped")}
    assert set(census.owned(tenant.account, cluster["id"]).values()) == {1}


def test_sweep_starts_what_was_accepted_and_never_begun(tenant, service):
    """As if the process had died between accepting a retry and starting its execution, a good while ago."""
    cluster = tenant.running("forgotten")
    write(service, cluster["id"], status="queued", unsettled="yes", updated_at="2026-01-01T00:00:00Z")
    next_run = run_of(service, cluster["id"]) + 1
    write_number(service, cluster["id"], "run", next_run)
    service.sweep()
    tenant.wait("forgotten", "running")
    names = {execution["name"] for execution in service.executions("Provision", cluster["id"])}
    assert f"{cluster['id']}-{next_run}" in names
    assert set(census.owned(tenant.account, cluster["id"]).values()) == {1}


def test_sweep_leaves_alone_what_is_at_rest_or_at_work(tenant, service):
    cluster = tenant.running("calm")
    events = len(tenant.events("calm"))
    service.sweep()
    assert len(tenant.events("calm")) == events
    assert len(service.executions("Provision", cluster["id"])) == 1


def record(service, cluster_id):
    return {"pk": {"S": f"CLUSTER#{cluster_id}"}, "sk": {"S": "RECORD"}}


def run_of(service, cluster_id):
    found = clients.operator("dynamodb").get_item(TableName=service.stack["TableName"], Key=record(service, cluster_id))
    return int(found["Item"]["run"]["N"])


def write(service, cluster_id, **texts):
    for name, text in texts.items():
        update(service, cluster_id, name, {"S": text})


def write_number(service, cluster_id, name, number):
    update(service, cluster_id, name, {"N": str(number)})


def update(service, cluster_id, name, value):
    clients.operator("dynamodb").update_item(
        TableName=service.stack["TableName"],
        Key=record(service, cluster_id),
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
    )
