"""Processes die, executions are stopped or never start, journal entries are lost: clusters recover."""

import random
import threading

import aws_clients
import census
import cloud
import dynamodb_table
import function_processes
import pytest
import settings
from waiting import until


def test_a_cluster_is_created_while_function_processes_are_killed(tenant):
    before = census.census(tenant.account)
    cluster = tenant.create("hunted")
    with Hunter() as hunter:
        tenant.wait("hunted", "running")
    print("killed:", hunter.killed)
    assert hunter.killed
    owned = census.owned(tenant.account, cluster["id"])
    assert set(owned.values()) == {1}, owned
    tenant.gone("hunted")
    assert census.census(tenant.account) == before


class Hunter:
    """Kills function processes at random moments, up to a number: each kill costs its cluster the rest of a lease."""

    MOST = 12

    def __init__(self):
        self.random = random.Random(f"hunter {settings.SEED}")
        self.killed = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.hunt)

    def hunt(self):
        while len(self.killed) < self.MOST and not self.stopped.wait(self.random.uniform(0.05, 0.8)):
            victim = function_processes.kill_one(self.random)
            self.killed += [victim] if victim else []

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def test_a_cluster_whose_execution_is_stopped_still_gets_to_running(tenant, service):
    cluster = tenant.create("stopped")
    until(lambda: len(tenant.events("stopped")) > 20, "the creation is under way", every=0.05)
    [execution] = service.executions("Provision", cluster["id"])
    aws_clients.operator("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    tenant.wait("stopped", "running")
    assert "sweep" in {event["actor"] for event in tenant.events("stopped")}
    assert set(census.owned(tenant.account, cluster["id"]).values()) == {1}


@pytest.mark.parametrize("status", ["queued", "provisioning"])
def test_sweep_starts_an_accepted_cluster_that_has_no_execution(tenant, service, status):
    cluster = tenant.running("forgotten")
    dynamodb_table.without_execution(service, cluster["id"], status)
    next_run = dynamodb_table.run_of(service, cluster["id"])
    service.sweep()
    tenant.wait("forgotten", "running")
    names = {execution["name"] for execution in service.executions("Provision", cluster["id"])}
    assert f"{cluster['id']}-{next_run}" in names
    assert set(census.owned(tenant.account, cluster["id"]).values()) == {1}


def test_sweep_leaves_a_running_cluster_alone(tenant, service):
    cluster = tenant.running("calm")
    events = len(tenant.events("calm"))
    service.sweep()
    assert len(tenant.events("calm")) == events
    assert len(service.executions("Provision", cluster["id"])) == 1


def test_a_journal_entry_lost_during_a_creation_is_written_again(tenant, service):
    before = census.census(tenant.account)
    cluster = tenant.create("torn")
    entries = until(lambda: at_least(10, dynamodb_table.journal(service, cluster["id"])), "the creation is under way", every=0.05)
    lost = drawn(entries)
    print("lost:", lost)
    dynamodb_table.lose(service, cluster["id"], lost)
    tenant.wait("torn", "running")
    assert set(census.owned(tenant.account, cluster["id"]).values()) == {1}
    tenant.gone("torn")
    assert census.census(tenant.account) == before


def test_a_lost_journal_entry_of_an_earlier_stage_is_written_again(tenant, service):
    cluster = tenant.create("behind")
    cloud.set_faults(two_invocations_for_nodes(cluster["id"]))
    until(lambda: tenant.show("behind")["stage"] == "create-nodegroups", "nodes are being made", every=0.02)
    dynamodb_table.lose(service, cluster["id"], "RESOURCE#cluster")
    tenant.wait("behind", "running")
    assert "RESOURCE#cluster" in dynamodb_table.journal(service, cluster["id"])


def two_invocations_for_nodes(cluster_id):
    """An invocation that has read the entry before it is lost does not write it again, so another one has to follow. The call for one node
    group takes five seconds, in which the entry is lost, and that for the other one fails until the stage is invoked again."""
    call = {"calls": "eks:CreateNodegroup", "by": cluster_id, "times": 1}
    unavailable = {"status": 503, "code": "ServiceUnavailableException", "message": "It was refused on demand."}
    return [call | {"effect": {"slow": 5 * settings.SPEED}}, call | {"effect": {"refuse": unavailable}, "whole_operation": True}]


def test_a_run_with_a_lost_journal_finds_everything_and_makes_nothing_twice(tenant, service):
    cluster = tenant.running("amnesic")
    entries, owned = dynamodb_table.journal(service, cluster["id"]), census.owned(tenant.account, cluster["id"])
    for entry in entries:
        dynamodb_table.lose(service, cluster["id"], entry)
    dynamodb_table.without_execution(service, cluster["id"], "provisioning")
    service.sweep()
    tenant.wait("amnesic", "running")
    assert dynamodb_table.journal(service, cluster["id"]) == entries
    assert census.owned(tenant.account, cluster["id"]) == owned


def test_a_cluster_whose_journal_is_lost_is_deleted_completely(tenant, service):
    before = census.census(tenant.account)
    cluster = tenant.running("unwritten")
    for entry in dynamodb_table.journal(service, cluster["id"]):
        dynamodb_table.lose(service, cluster["id"], entry)
    tenant.gone("unwritten")
    assert census.census(tenant.account) == before


def drawn(entries):
    """The seed ranks all entries, so a few more or fewer of them rarely change which one is drawn."""
    return min(entries, key=lambda entry: random.Random(f"{entry} {settings.SEED}").random())


def at_least(count, found):
    return found if len(found) >= count else None
