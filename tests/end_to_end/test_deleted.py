"""What can be read of a deleted cluster, by whom and how long, and what of it goes by itself."""

import time

import pytest

import dynamodb_table
import tenants
from answers import problem, timeless

DAY = 24 * 3600


@pytest.fixture(scope="module")
def past(service):
    """A tenant that deleted two clusters of one name, one after the other, and has a third."""
    tenant = tenants.without_role(tenants.new(service))
    tenant.past = []
    for _ in range(2):
        tenant.create("phoenix")
        tenant.wait("phoenix", "failed")
        tenant.past.append(tenant.gone("phoenix"))
    tenant.create("phoenix")
    tenant.wait("phoenix", "failed")
    return tenant


def listed_as_deleted(tenant):
    return tenant.call("GET", "/clusters?deleted=true").json()["clusters"]


def test_deleted_clusters_are_listed_the_last_one_first(past):
    assert [(one["id"], one["status"]) for one in listed_as_deleted(past)] == [(one["id"], "deleted") for one in reversed(past.past)]
    assert {one["id"] for one in past.list()}.isdisjoint(one["id"] for one in past.past)
    assert past.call("GET", "/clusters?deleted=false").json()["clusters"] == past.list()
    problem(past.call("GET", "/clusters?deleted=yes"), 400)


def test_a_cluster_and_its_log_are_read_by_id_even_if_the_name_is_another_cluster_s(past):
    for one in past.past:
        assert timeless(past.show(one["id"])) == timeless(one)
        assert [event["target"] for event in past.requested(one["id"])] == ["create", "delete"]
    assert past.show("phoenix")["id"] == past.show(past.show("phoenix")["id"])["id"] not in [one["id"] for one in past.past]


def test_another_tenant_s_id_is_as_absent_as_one_that_never_existed(past, stranger):
    for one in (past.past[0]["id"], past.show("phoenix")["id"], "aaaaaaaaaaaa"):
        for path in (f"/clusters/{one}", f"/clusters/{one}/logs"):
            told = problem(stranger.call("GET", path), 404, "cluster_not_found")
            assert told["detail"] == f'You have no cluster named "{one}".'
    assert listed_as_deleted(stranger) == []


def test_the_log_outlives_the_record(past, service):
    gone = past.past[0]["id"]
    record = next(item for item in service.records(f"CLUSTER#{gone}") if item["sk"]["S"] == "RECORD")
    dynamodb_table.lose(service, gone, "RECORD")
    try:
        assert past.show(gone) is None
        assert [event["target"] for event in past.requested(gone)] == ["create", "delete"]
        assert gone not in [one["id"] for one in listed_as_deleted(past)]
    finally:
        dynamodb_table.put(service, record)


def test_everything_of_a_deleted_cluster_expires(tenant, service):
    tenant.running("mortal")
    cluster = tenant.gone("mortal")
    rows = service.records(f"CLUSTER#{cluster['id']}")
    assert [row for row in rows if row["sk"]["S"].startswith("RESOURCE#")]
    days = {row["sk"]["S"].split("#")[0]: (int(row["expires_at"]["N"]) - time.time()) / DAY for row in rows}
    assert {kind: round(left) for kind, left in days.items()} == {"RECORD": 90, "RESOURCE": 90, "EVENT": 400}
    [name, deleted] = [row for row in service.records(f"TENANT#{tenant.name}") if row["sk"]["S"].startswith(("NAME#", "DELETED#"))]
    assert "expires_at" in name and "expires_at" in deleted


def test_every_event_has_a_message(tenant):
    tenant.running("told")
    tenant.gone("told")
    events = tenant.events("told")
    assert {"creating", "ready", "deleting", "gone"} <= {event["action"] for event in events}
    assert [event for event in events if not event["message"].endswith((".", "…"))] == []
