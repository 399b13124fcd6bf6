"""What the API refuses and how, and what it answers when it is asked twice."""

import json
import socket
from urllib.parse import urlsplit

import pytest

import dynamodb_table
import settings
import templates
import tenants
from answers import problem, timeless
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
    (
        {
            "name": "a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "instance_types": [{"name": "m6i.large"}],
            "admin_principal_arn": "arn:aws:iam::333333333333:role/admin",
        },
        {"$.admin_principal_arn"},
    ),
    ({}, {"$.name", "$.role_arn"}),
    (
        {
            "name": "a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "instance_types": [{"name": "m6i.large"}],
            "tags": {"groundwork:cluster": "mine", "team": "a,b"},
        },
        {"$.tags.groundwork:cluster", "$.tags.team"},
    ),
    (
        {
            "name": "a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "instance_types": [{"name": "m6i.large"}],
            "network": {"subnet_ids": ["subnet-0123456789abcdef0"]},
        },
        {"$.network.subnet_ids"},
    ),
    ({"name": "Upper", "surprise": 1}, {"$.name", "$.surprise", "$.role_arn"}),
    (
        {"name": "a" * 64, "role_arn": "arn:aws:iam::222222222222:role/other", "region": "mars", "instance_types": []},
        {"$.name", "$.role_arn", "$.region"},
    ),
    (
        {
            "name": "-a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "instance_types": [{"name": "m6i.large", "max_count": 0, "color": "red", "labels": {"kubernetes.io/role": "a"}, "disk_gib": 1}],
            "deletion": {"buckets": "burn", "data": "archive", "later": True},
        },
        {
            "$.name", "$.instance_types[0].max_count", "$.instance_types[0].color", "$.instance_types[0].disk_gib", "$.deletion.buckets",
            "$.deletion.data", "$.deletion.later",
        },
    ),
    (
        {
            "name": "a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "public_access_cidrs": ["10.0.0.1/8"],
            "deletion": {"buckets": "delete", "data": "delete"},
            "instance_types": [{"name": "m6i.large", "overprovisioned_ondemand_count": 11}, {"name": "m6i.large"}],
        },
        {
            "$.instance_types[0].overprovisioned_ondemand_count", "$.instance_types[1].name",
            "$.public_access_cidrs[0]", "$.deletion.buckets",
        },
    ),
    (
        {
            "name": "a",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "instance_types": ["m6i.large", {"name": "g4dn.xlarge", "max_count": 10.0}],
            "network": {"cidr": "10.0.0.0/8", "service_cidr": "10.0.0.0/12", "zones": ["us-west-2a", "us-east-1a"], "flow_logs": True},
            "buckets": [{"purpose": "artifacts"}],
        },
        {
            "$.instance_types[0]", "$.instance_types[1].max_count", "$.network.cidr", "$.network.service_cidr", "$.network.zones[1]",
            "$.network.flow_logs",
        },
    ),
]


@pytest.mark.parametrize(("body", "paths"), BAD_BODIES)
def test_a_bad_body_is_refused_with_the_path_of_every_fault(stranger, body, paths):
    found = problem(stranger.call("POST", "/clusters", body), 400)
    assert {fault["path"] for fault in found["faults"]} == paths
    assert all(fault["message"] for fault in found["faults"])
    assert stranger.list() == []


def test_who_would_not_get_in_is_told_so_before_or_with_the_answer(stranger):
    body = without_role(stranger).request("alone")
    [fault] = problem(stranger.call("POST", "/clusters", body | {"access": {"public_cidrs": ["requester"]}}), 400)["faults"]
    assert fault["path"] == "$.access.public_cidrs[0]" and "127.0.0.1 is no public IPv4 address" in fault["message"]
    answer = stranger.call("POST", "/clusters", body).json()
    assert answer["endpoint_access"] == {"mode": "closed", "cidrs": [], "operator": None}
    assert [warning["path"] for warning in answer["warnings"]] == ["$.access.administrators", "$.access.public_cidrs"]


def test_a_request_that_names_no_region_is_about_the_operators_default(stranger):
    body = without_role(stranger).request("anywhere")
    del body["region"]
    answer = stranger.call("POST", "/clusters", body).json()
    assert answer["region"] == stranger.onboarding()["default_region"] == settings.REGION


def post(tenant, text, **headers):
    """Posts a text as it is."""
    headers = {"Content-Type": "application/json"} | headers
    return tenant.session.post(f"{tenant.service.url}/clusters", data=text, headers=headers, timeout=60)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"cluster"'])
def test_a_body_that_is_not_an_object_is_refused(stranger, text):
    problem(post(stranger, text), 400)


def test_a_field_that_is_written_twice_is_refused(stranger):
    body = json.dumps(without_role(stranger).request("double"))
    twice = body[:-1] + ', "region": "eu-west-1", "deletion": {"buckets": "retain", "buckets": "delete"}}'
    found = problem(post(stranger, twice), 400)
    assert [fault["path"] for fault in found["faults"]] == ["$.region", "$.deletion.buckets"]
    assert stranger.list() == []


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream"])
def test_a_body_that_is_too_long_is_refused_whatever_its_type(stranger, kind):
    long = json.dumps(without_role(stranger).request("long") | {"padding": "x" * 65536})
    problem(post(stranger, long, **{"Content-Type": kind}), 413, "body_too_large")
    problem(post(stranger, long * 18, **{"Content-Type": kind}), 413, "body_too_large")


@pytest.mark.parametrize("more", [
    {"name": "N" * 60_000},
    {"N" * 60_000: 1},
    {"instance_types": ["x" * 50] * 1000},
    {"instance_types": [{str(number): 1 for number in range(5000)}]},
])
def test_the_answer_to_a_bad_body_is_short(stranger, more):
    answer = stranger.call("POST", "/clusters", without_role(stranger).request("short") | more)
    faults = problem(answer, 400)["faults"]
    assert len(answer.content) < 30_000 and len(faults) <= 51
    assert all(len(fault["path"]) <= 101 for fault in faults)


@pytest.mark.parametrize("header", ["X-Note", "Idempotency-Key"])
def test_a_control_character_in_a_header_is_refused(stranger, header):
    url = urlsplit(f"{stranger.service.url}/clusters")
    lines = [
        f"GET {url.path} HTTP/1.1", f"Host: {url.netloc}", f"Authorization: {stranger.session.headers['Authorization']}",
        f"{header}: a\x01b", "Connection: close",
    ]
    with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 400 ") and "application/problem+json" in answer and header.lower() in answer, answer


@pytest.mark.parametrize("path", ["/clusters?colour=red", "/clusters/any?verbose=1", "/clusters/any/logs?limits=1", "/onboarding?a=b"])
def test_an_unknown_query_parameter_is_refused(stranger, path):
    [fault] = problem(stranger.call("GET", path), 400)["faults"]
    assert fault["path"] == "?" + path.split("?")[1].split("=")[0]


@pytest.mark.parametrize("data", ["", "Delete", "retain"])
def test_a_deletion_says_keep_or_delete_about_the_data_or_nothing(stranger, data):
    without_role(stranger).create("dear")
    [fault] = problem(stranger.call("DELETE", f"/clusters/dear?data={data}"), 400)["faults"]
    assert fault == {"path": "?data", "message": "is not keep or delete"}
    assert stranger.show("dear")["status"] != "terminating"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/nothing?a=b"), ("PUT", "/clusters/any"), ("POST", "/clusters/any/logs")])
def test_what_no_route_is_for_is_a_problem_too(stranger, method, path):
    assert f"{method} {path.split('?')[0]}" in problem(stranger.call(method, path), 404, "route_not_found")["detail"]
    stranger.session.headers.pop("Authorization")
    assert stranger.call(method, path).status_code == 401


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
    assert first.json()["status"] == "queued" and timeless(again.json()) == timeless(now)
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
    assert timeless(tenant.accepted("DELETE", "/clusters/lively", **key)) == timeless(gone)


def test_a_key_of_the_version_before_is_answered_with_its_cluster(stranger, service):
    body = without_role(stranger).request("older")
    cluster = stranger.accepted("POST", "/clusters", body, **{"Idempotency-Key": "k-2"})
    row = {"pk": {"S": f"IDEMPOTENCY#{stranger.name}#k-2"}, "sk": {"S": "KEY"}}
    dynamodb_table.replace(service, row, "cluster_id", "body", json.dumps(cluster))
    now = stranger.wait("older", "failed")
    assert timeless(stranger.accepted("POST", "/clusters", body, **{"Idempotency-Key": "k-2"})) == timeless(now)


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
