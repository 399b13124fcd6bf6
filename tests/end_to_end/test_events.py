"""Changes of clusters as events on the bus, seen by a subscriber: a rule with a queue of its own."""

import json

import aws_clients
import pytest
import templates
from waiting import until

SCHEMA = json.loads(templates.source("docs/event.schema.json"))
CHAT = templates.template("examples/notifications.yaml")["Resources"]["ChatRule"]["Properties"]


@pytest.fixture
def subscriber(service, tenant):
    """Queues that get the tenant's events: all as they are, and what a chat would get of them."""
    events, queues = aws_clients.operator("events"), aws_clients.operator("sqs")
    bus = service.stack["BusName"]
    urls = {name: queues.create_queue(QueueName=f"{tenant.name}-{name}")["QueueUrl"] for name in ("all", "chat")}
    of_chat = {"InputTransformer": CHAT["Targets"][0]["InputTransformer"]}
    for name, pattern, more in (("all", {"source": ["groundwork"], "detail": {}}, {}), ("chat", CHAT["EventPattern"], of_chat)):
        own = {**pattern, "detail": {**pattern["detail"], "tenant": [tenant.name]}}
        events.put_rule(Name=f"{tenant.name}-{name}", EventBusName=bus, EventPattern=json.dumps(own))
        arn = queues.get_queue_attributes(QueueUrl=urls[name], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_targets(Rule=f"{tenant.name}-{name}", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn, **more}])
    yield Subscriber(queues, urls)
    for name, url in urls.items():
        events.remove_targets(Rule=f"{tenant.name}-{name}", EventBusName=bus, Ids=["queue"])
        events.delete_rule(Name=f"{tenant.name}-{name}", EventBusName=bus)
        queues.delete_queue(QueueUrl=url)


class Subscriber:
    def __init__(self, queues, urls):
        self.queues, self.urls = queues, urls
        self.seen = {name: [] for name in urls}

    def received(self, name):
        """Everything that came so far."""
        while messages := self.queues.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.seen[name].append(json.loads(message["Body"]))
                self.queues.delete_message(QueueUrl=self.urls[name], ReceiptHandle=message["ReceiptHandle"])
        return self.seen[name]

    def changes(self):
        """The details without doubles, in the order of the cluster's versions, as the page tells receivers to see them."""
        once = {event["detail"]["event_id"]: event["detail"] for event in self.received("all")}
        return sorted(once.values(), key=lambda detail: detail["version"])

    def statuses(self):
        return [(change["previous_status"], change["cluster"]["status"]) for change in self.changes()]


def test_a_subscriber_hears_of_a_creation_and_a_deletion_and_of_who_asked(tenant, subscriber):
    cluster = tenant.running("announced")
    tenant.gone("announced")
    until(lambda: (subscriber.statuses() or [None])[-1] == ("terminating", "deleted"), "the deletion is announced")
    assert subscriber.statuses() == [
        (None, "queued"),
        ("queued", "provisioning"),
        ("provisioning", "running"),
        ("running", "terminating"),
        ("terminating", "deleted"),
    ]
    asked = {event["actor"] for event in tenant.requested(cluster["id"])}
    for change in subscriber.changes():
        told = change["cluster"]
        assert (change.keys(), told.keys()) == (set(SCHEMA["required"]), set(SCHEMA["$defs"]["Summary"]["required"]))
        assert (told["id"], told["account"], told["region"]) == (cluster["id"], tenant.account.number, cluster["region"])
        assert {change["asked_by"]} == asked
    assert tenant.onboarding()["external_id"] not in json.dumps(subscriber.received("all"))
    assert {event["detail-type"] for event in subscriber.received("all")} == {"Cluster Status Change"}


def test_a_chat_is_told_why_a_cluster_failed_and_what_to_do(service, tenant, subscriber):
    tenant.role_arn = f"{tenant.role_arn}-is-not-there"
    tenant.create("hapless")
    cluster = until(lambda: parked(tenant, "hapless"), "the cluster is parked")
    told = until(lambda: subscriber.received("chat"), "the chat is told")
    assert told[0]["text"].startswith(f"Cluster hapless of tenant {tenant.name} is failed: ")
    [failed] = [change for change in subscriber.changes() if change["cluster"]["status"] == "failed"]
    assert {name: failed["cluster"][name] for name in ("code", "reason", "hint", "turn")} == {
        name: cluster[name] for name in ("code", "reason", "hint", "turn")
    }


def parked(tenant, name):
    cluster = tenant.show(name)
    return cluster if cluster["status"] == "failed" else None
