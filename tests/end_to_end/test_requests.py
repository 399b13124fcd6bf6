"""What the API refuses and how, and what it answers when it is asked twice."""

import json

import pytest

import dynamodb_table
import templates
import tenants
from answers import problem
from tenants import without_role
from waiting import at_once


@pytest.mark.parametrize("token", [None, "Bearer no.such.token", "Bearer ", "Basic dGVzdDp0ZXN0"])
def test_without_a_good_token_every_route_is_closed(service, stranger, token):
    stranger.session.headers.pop("Authorization")
    headers = {"Authorization": token} if token else {}
    for method, path in templates.routes():
        assert stranger.call(method, path.replace("{name}", "any"), **headers).status_code == 401, (method, path)


def test_a_token_whose_payload_was_changed_is_refused(stranger):
    header, _, signature = stranger.session.headers["Authorization"].removeprefix("Bearer ").split(".")
    _, other, _ = tenants.new(stranger.service).session.headers["Authorization"].split(".")
    assert stranger.call("GET", "/clusters", Authorization=f"Bearer {header}.{other}.{signature}").status_code == 401


BAD_BODIES = [
    ({}, {"$.name", "$.role_arn", "$.region", "$.instance_types"}),
    ({"name": "Upper", "surprise": 1}, {"$.name", "$.surprise", "$.role_arn", "$.region", "$.instance_types"}),
    (
        {"name": "a" * 64, "role_arn": "arn:aws:iam::222222222222:role/other", "region": "mars", "instance_types": []},
        {"$.name", "$.role_arn", "$.region", "$.instance_types"},
    ),
    (
        {
            "name": "-a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "instance_types": [{"name": "m6i.large", "max_count": 0, "color": "red"}],
            "deletion": {"buckets": "burn", "later": True},
        },
        {
            "$.name", "$.instance_types[0].max_count", "$.instance_types[0].color", "$.deletion.buckets",
            "$.deletion.later",
        },
    ),
    (
        {
            "name": "a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "public_access_cidrs": ["10.0.0.1/8"],
            "instance_types": [{"name": "m6i.large", "overprovisioned_ondemand_count": 11}, {"name": "m6i.large"}],
        },
        {
            "$.instance_types[0].overprovisioned_ondemand_count", "$.instance_types[1].name",
            "$.public_access_cidrs[0]",
        },
    ),
]


@pytest.mark.parametrize(("body", "paths"), BAD_BODIES)
def test_a_bad_body_is_refused_with_the_path_of_every_fault(stranger, body, paths):
    found = problem(stranger.call("POST", "/clusters", body), 400)
    assert {fault["path"] for fault in found["faults"]} == paths
    assert all(fault["message"] for fault in found["faults"])
    assert stranger.list() == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"cluster"'])
def test_a_body_that_is_not_an_object_is_refused(stranger, text):
    answer = stranger.session.post(f"{stranger.service.url}/clusters", data=text, headers={"Content-Type": "application/json"})
    problem(answer, 400)


@pytest.mark.parametrize("key", ["", "two words", "x" * 257])
def test_an_invalid_idempotency_key_is_refused(stranger, key):
    answer = stranger.call("POST", "/clusters", without_role(stranger).request("keyless"), **{"Idempotency-Key": key})
    problem(answer, 400)


def test_the_same_key_is_answered_with_the_same_cluster_as_it_is_now_and_makes_no_second_one(stranger):
    body = without_role(stranger).request("once")
    key = {"Idempotency-Key": "k-1"}
    first = stranger.call("POST", "/clusters", body, **key)
    now = stranger.wait("once", "failed")
    again = stranger.call("POST", "/clusters", body, **key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.json()["id"], first.headers["Location"]) == (again.json()["id"], again.headers["Location"])
    assert first.json()["status"] == "queued" and again.json() == now
    assert len(stranger.list()) == 1 and len(stranger.requested("once")) == 1
    problem(stranger.call("POST", "/clusters", body | {"region": "eu-west-1"}, **key), 422)
    problem(stranger.call("DELETE", "/clusters/once", **key), 422)


def test_a_deletion_and_its_repetition_are_answered_with_every_resource_as_it_is(tenant):
    tenant.running("lively")
    key = {"Idempotency-Key": "d-1"}
    accepted = tenant.accepted("DELETE", "/clusters/lively", **key)
    assert accepted["status"] == "terminating"
    assert "ready" in {resource["state"] for resource in accepted["resources"]}
    gone = tenant.wait("lively", "deleted")
    assert tenant.accepted("DELETE", "/clusters/lively", **key) == gone


def test_a_key_of_the_version_before_is_answered_with_its_cluster(stranger, service):
    body = without_role(stranger).request("older")
    cluster = stranger.accepted("POST", "/clusters", body, **{"Idempotency-Key": "k-2"})
    row = {"pk": {"S": f"IDEMPOTENCY#{stranger.name}#k-2"}, "sk": {"S": "KEY"}}
    dynamodb_table.replace(service, row, "cluster_id", "body", json.dumps(cluster))
    now = stranger.wait("older", "failed")
    assert stranger.accepted("POST", "/clusters", body, **{"Idempotency-Key": "k-2"}) == now


def test_a_name_in_use_is_a_conflict(stranger):
    without_role(stranger).create("taken")
    problem(stranger.call("POST", "/clusters", stranger.request("taken")), 409, "name_taken")


def test_a_retry_again_while_it_is_at_work_gets_the_same_answer(stranger, service):
    without_role(stranger).create("again")
    stranger.wait("again", "failed")
    one, other = at_once(*[lambda: stranger.call("POST", "/clusters/again/retry")] * 2)
    assert (one.status_code, other.status_code) == (202, 202), (one.text, other.text)
    assert one.json()["id"] == other.json()["id"]
    cluster = stranger.wait("again", "failed")
    assert dynamodb_table.run_of(service, cluster["id"]) == 2
    assert len(service.executions("Provision", cluster["id"])) == 2


def test_a_retry_of_a_cluster_that_is_not_parked_is_a_conflict(stranger):
    without_role(stranger).create("busy")
    problem(stranger.call("POST", "/clusters/busy/retry"), 409)


def test_pages_of_the_log_have_no_gaps_and_no_repetitions(stranger):
    without_role(stranger).create("talkative")
    stranger.wait("talkative", "failed")
    whole = stranger.events("talkative")
    paged, after = [], ""
    while page := stranger.call("GET", f"/clusters/talkative/logs?after={after}&limit=2").json()["events"]:
        assert len(page) <= 2
        paged += page
        after = page[-1]["id"]
    assert paged == whole and len(whole) > 2
    for query in ("limit=0", "limit=many", "after=~~"):
        problem(stranger.call("GET", f"/clusters/talkative/logs?{query}"), 400)
