"""Every request leaves a line in the log: who asked for what, when, from where, for which cluster, and with what result."""

import json
from datetime import datetime

import requests

import audit_log
import aws_clients
import clock
import jobs
import templates
import tenants
from waiting import until


def audited(service, function, tenant, count):
    """The tenant's events, once there are that many. Logs arrive a moment after the answers."""
    return until(lambda: enough(audit_log.events(service, function, tenant.name), count), f"{count} requests are in the log")


def enough(events, count):
    assert len(events) <= count, events
    return events if len(events) == count else None


def outcome(event):
    return event["request"], event.get("cluster"), event["status"], event.get("code")


def test_every_endpoint_leaves_one_event_with_actor_time_and_address(stranger, service):
    begun = clock.now()
    for method, path in templates.routes():
        stranger.call(method, path.replace("{name}", "none"))
    events = audited(service, "api", stranger, len(templates.routes()))
    assert sorted(event["request"] for event in events) == sorted(" ".join(route) for route in templates.routes())
    for event in events:
        assert event["actor"].startswith("tenant:") and event["tenant"] == stranger.name and event["from"] == "127.0.0.1"
        assert begun <= datetime.fromisoformat(event["at"]) <= clock.now()


def test_a_request_without_a_token_leaves_one_event_too(service):
    [(method, path), *_] = templates.routes("NONE")
    of_route = lambda: [event for event in audit_log.events(service, "api", "anonymous") if event["request"] == f"{method} {path}"]  # noqa: E731
    before = len(of_route())
    assert requests.request(method, service.url + path, timeout=30).status_code == 200
    event = until(lambda: of_route()[before:], "it is in the log")[0]
    assert (event["actor"], event.get("tenant"), event["from"]) == ("anonymous", None, "127.0.0.1")


def test_an_event_has_the_result_of_its_request_whatever_that_is(stranger, service):
    tenants.without_role(stranger).create("told")
    stranger.call("POST", "/clusters", stranger.request("told"))
    stranger.call("POST", "/clusters", {"name": "Not a name"})
    stranger.call("GET", "/clusters/told")
    stranger.call("GET", "/clusters/untold")
    assert [outcome(event) for event in audited(service, "api", stranger, 5)] == [
        ("POST /clusters", "told", "202", None),
        ("POST /clusters", "told", "409", "name_taken"),
        ("POST /clusters", None, "400", "invalid_request"),
        ("GET /clusters/{name}", "told", "200", None),
        ("GET /clusters/{name}", "untold", "404", "cluster_not_found"),
    ]


def test_a_job_leaves_an_event_that_names_its_sender(stranger, service):
    sender = aws_clients.operator("sts").get_caller_identity()["Account"]
    service.send(jobs.create(tenants.without_role(stranger), "by-job", "once"))
    [event] = audited(service, "jobs", stranger, 1)
    assert outcome(event) == ("job create", "by-job", "202", None)
    assert (event["actor"], event["from"]) == (f"queue:{sender}", sender)


def test_a_message_that_is_no_job_leaves_an_event_too(service):
    before = len(unreadable(service))
    service.send("poison", json.dumps({"action": "delete"}))
    until(lambda: len(unreadable(service)) >= before + 2, "both are in the log")
    assert {event.get("tenant") for event in unreadable(service)} == {None}


def unreadable(service):
    events = audit_log.events(service, "jobs", "audit")
    return [event for event in events if (event["request"], event.get("code")) == ("job", "invalid_request")]


def test_the_log_of_a_cluster_has_the_address_that_a_request_came_from(stranger, service):
    tenants.without_role(stranger).create("where")
    stranger.wait("where", "failed")
    stranger.delete("where")
    stranger.wait("where", "deleted")
    assert [event["from"] for event in stranger.requested("where")] == ["127.0.0.1"] * 2
    assert not [event for event in stranger.events("where") if event["action"] != "requested" and "from" in event]
