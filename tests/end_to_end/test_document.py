"""The service keeps to its OpenAPI document, and the document says no more than is so."""

import secrets

import hypothesis
import pytest
import requests

import customer_role
import documented
import dynamodb_table
import templates
import tenants
from documented import ALWAYS, BY_WHAT_IS_SENT
from waiting import until

READ = documented.loaded()
# The same cases in every run. What the document has as an example is tried, too.
TRIED = documented.loaded(
    generation={"max-examples": 25, "deterministic": True, "no-shrink": True},
    # What no route is for has the test of its own in test_requests.py.
    phases={"coverage": {"unexpected-methods": []}},
)

# What a schema does not say of a request, by the field that is refused then.
BEYOND_THE_SCHEMA = {
    "?after": "a cursor is one that an earlier answer gave",
    "$.access.administrators": "are of the account of role_arn, each once, and together not too long",
    "$.access.users": "are of the account of role_arn, and no administrators",
    "$.scale_down_after_minutes": "is written as an integer",
    "$.encryption.kms_key_arn": "is of the account of role_arn, and of the region",
    "$.node_role_arn": "is of the account of role_arn, and there if and only if there are instance types",
    "$.network.cidr": "the first address of a private range, and nothing of 172.17.0.0/16",
    "$.network.service_cidr": "the first address of a range that EKS takes, beside the VPC's",
    "$.network.zones": "of the region",
    "$.network.flow_logs": "only with the bucket logs, and not in subnets of the customer's",
    "$.network.subnet_ids": "only with instance types",
    "$.instance_types": "each type once, with no more nodes kept than there may be, and with an image at EKS",
    "$.access.public_cidrs": "the first address of an IPv4 range that is on the internet, and requester only if who asks is",
    "$.buckets": "each purpose once",
    "$.deletion.buckets": "not together with data",
    "$.tags.": "no key that AWS, Kubernetes or Groundwork uses, each once whatever its letters",
}


def test_the_document_that_is_served_is_the_one_that_is_printed(service):
    answer = requests.get(f"{service.url}/openapi.json", timeout=30)
    assert (answer.headers["Content-Type"], answer.json()) == ("application/json", documented.document())


def test_the_template_has_the_document_s_routes_and_no_others():
    operations = [(method.upper(), path, one) for path, methods in documented.document()["paths"].items() for method, one in methods.items()]
    for authorization, security in (("JWT", [{"token": []}]), ("NONE", [])):
        written = {(method, path) for method, path, one in operations if one["security"] == security}
        assert written == set(templates.routes(authorization)), authorization


@pytest.fixture
def known(stranger):
    """A tenant with a cluster of the name that the document has as an example. It has no role, so the cluster fails, as do all others."""
    tenants.without_role(stranger).create("research")
    return stranger


# All cases of an operation are of one tenant.
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@TRIED.parametrize()
def test_whatever_is_sent_is_answered_as_documented(case, known):
    if case.meta.generation.mode.is_positive and "Idempotency-Key" in (case.headers or {}):
        # An earlier case sent the same one with something else, which is refused.
        case.headers["Idempotency-Key"] = secrets.token_hex(16)
    answer = case.call(base_url=known.service.url, headers=dict(known.session.headers))
    is_sent = [] if is_beyond_the_schema(answer) else BY_WHAT_IS_SENT
    case.validate_response(answer, checks=ALWAYS + is_sent)


def is_beyond_the_schema(answer):
    """True if it is refused for nothing that a schema can say."""
    faults = answer.json().get("faults", []) if answer.status_code == 400 else []
    return bool(faults) and all(fault["path"].startswith(tuple(BEYOND_THE_SCHEMA)) for fault in faults)


class Reader:
    """Asks as a tenant, and compares each answer with the document."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.seen = set()

    def ask(self, status, method, path, name=None, token=True, **sent):
        case = READ[path][method].Case(path_parameters={"name": name} if name else {}, **sent)
        headers = dict(self.tenant.session.headers) if token else {}
        answer = case.call(base_url=self.tenant.service.url, headers=headers)
        case.validate_response(answer, checks=ALWAYS)
        assert answer.status_code == status, (method, path, answer.text)
        self.note(answer.json(), case)
        return answer.json()

    def note(self, body, case):
        if "code" in body and "detail" in body:
            schema = {"$ref": "#/components/schemas/Problem"}
        elif set(body) == {"message"}:
            schema = {"$ref": "#/components/schemas/Message"}
        else:
            operation = documented.document()["paths"][case.operation.path][case.operation.method]
            [schema] = [one["content"]["application/json"]["schema"] for status, one in operation["responses"].items() if status[0] == "2"]
        self.seen |= documented.seen(body, schema, documented.document()["components"]["schemas"])

    def wait(self, name, status):
        """Looks until the cluster has the status; each look is compared."""
        until(lambda: self.ask(200, "GET", "/clusters/{name}", name)["status"] == status, f"{name} is {status}", 150)

    def create(self, status, name, **more):
        return self.ask(status, "POST", "/clusters", body=self.tenant.request(name, **more), media_type="application/json")


# What no answer of this life has, and why.
ELSEWHERE = {
    "Cluster.notice": "only of a record that a newer version wrote",
}


def test_every_answer_of_clusters_lives_is_as_documented_and_every_field_is_in_one(tenant):
    reader = Reader(tenant)
    lives(reader)
    refusals(reader)
    assert documented.fields() - reader.seen == set(ELSEWHERE)


NODES = {
    "name": "m6i.large",
    "capacity": "spot",
    "alternatives": ["m7i.large"],
    "disk_gib": 50,
    "labels": {"team": "vision"},
    "taints": [{"key": "team", "value": "vision", "effect": "PreferNoSchedule"}],
}


def lives(reader):
    own = reader.tenant.role_arn
    buckets = [{"purpose": "checkpoints", "expire_days": 90, "old_versions_days": 7}, {"purpose": "logs"}]
    reader.create(202, "alive", tags={"CostCenter": "4711"}, buckets=buckets, instance_types=[NODES])
    reader.create(202, "abandoned")
    reader.create(202, "lost", role_arn=f"{own}-none", deletion={"buckets": "retain"})
    reader.wait("lost", "failed")
    reader.ask(202, "POST", "/clusters/{name}/retry", "lost")
    reader.wait("lost", "failed")
    reader.wait("alive", "running")
    reader.wait("abandoned", "running")
    for query in ({}, {"status": "running"}, {"limit": 1}):
        reader.ask(200, "GET", "/clusters", query=query)
    for query in ({}, {"from": "24 hours ago", "limit": 3}, {"wait": 1}):
        reader.ask(200, "GET", "/clusters/{name}/logs", "alive", query=query)
    reader.ask(200, "GET", "/onboarding")
    for role in (own, f"{own}-none"):
        reader.ask(200, "GET", "/onboarding/check", query={"role_arn": role})
    reader.ask(202, "DELETE", "/clusters/{name}", "lost")
    is_deleted_with_trouble_and_leaves_data(reader)
    reader.ask(409, "DELETE", "/clusters/{name}", "alive", query={"data": "delete"})
    reader.ask(200, "GET", "/clusters", query={"deleted": "true"})
    is_given_up(reader)
    for path in ("/login", "/openapi.json"):
        reader.ask(200, "GET", path, token=False)


def is_deleted_with_trouble_and_leaves_data(reader):
    s3, buckets = reader.tenant.account.client("s3"), reader.tenant.show("alive")["outputs"]["buckets"]
    s3.put_object(Bucket=buckets["checkpoints"], Key="epoch-1", Body=b"weights")
    tags = s3.get_bucket_tagging(Bucket=buckets["logs"])["TagSet"]
    s3.delete_bucket_tagging(Bucket=buckets["logs"])
    reader.ask(202, "DELETE", "/clusters/{name}", "alive")
    reader.wait("alive", "delete_blocked")
    s3.put_bucket_tagging(Bucket=buckets["logs"], Tagging={"TagSet": tags})
    reader.ask(202, "POST", "/clusters/{name}/retry", "alive")
    reader.wait("alive", "deleted")


def is_given_up(reader):
    """The cluster whose account lets nobody in any more."""
    tenant = reader.tenant
    cluster = tenant.show("abandoned")
    customer_role.replace_trust(tenant.account, "groundwork", tenant.onboarding()["external_id"], "somebody-else-s-external-id")
    reader.ask(202, "DELETE", "/clusters/{name}", "abandoned")
    reader.wait("abandoned", "delete_blocked")
    dynamodb_table.refused_since_long_ago(tenant.service, cluster["id"])
    reader.ask(202, "POST", "/clusters/{name}/forget", "abandoned")
    reader.ask(200, "GET", "/clusters/{name}", cluster["id"])


def refusals(reader):
    """Of the service and, without a token, of API Gateway."""
    reader.create(400, "Bad_Name")
    reader.create(413, "long", padding="x" * 65536)
    reader.create(202, "taken")
    reader.create(409, "taken")
    for method, path in (("GET", "/clusters/{name}"), ("DELETE", "/clusters/{name}"), ("GET", "/clusters/{name}/logs")):
        reader.ask(404, method, path, "nothing")
    for verb in ("retry", "forget"):
        reader.ask(404, "POST", f"/clusters/{{name}}/{verb}", "nothing")
    for method, path in templates.routes():
        name = "any" if "{name}" in path else None
        reader.ask(401, method, path, name, token=False)
