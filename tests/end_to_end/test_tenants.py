"""A tenant sees, changes, names and counts only what is its own, and learns nothing about the others."""

import json
import re
import secrets

import pytest

import audit_log
import templates
import tenants
from account import new_account
from answers import problem
from waiting import until

# Words that stand nowhere else.
EXISTS, NEVER = "made-in-secret", "never-made"
# The text is compared anyway, and its length varies with the digits of its timestamps.
NEW_IN_EVERY_ANSWER = ("date", "x-amzn-requestid", "apigw-requestid", "content-length")


@pytest.fixture(scope="module")
def owner(service):
    """A tenant with a cluster that is parked."""
    owner = tenants.without_role(tenants.new(service))
    owner.create(EXISTS)
    owner.wait(EXISTS, "failed")
    return owner


def everything(service, tenant):
    """Everything that is recorded about a tenant and its cluster: names, counts, the cluster, its journal, its log."""
    own = service.records(f"TENANT#{tenant.name}")
    ids = [item["cluster_id"]["S"] for item in own if item["sk"]["S"].startswith("NAME#")]
    assert ids
    return [own, *(service.records(f"CLUSTER#{one}") for one in ids)]


def ask(tenant, method, path, name):
    """The status, headers and text of an answer, without the name and without what is new in every answer."""
    body = tenant.request(name) if method in ("POST", "PUT", "PATCH") else None
    answer = tenant.call(method, path.replace("{name}", name), body)
    assert "route_not_found" not in answer.text
    headers = {key: value.replace(name, "<name>") for key, value in answer.headers.items() if key.lower() not in NEW_IN_EVERY_ANSWER}
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", answer.text.replace(name, "<name>"))
    # Commands in warnings have the id, too.
    for own in re.findall(r'"id":"(\w+)"', text):
        text = text.replace(own, "<id>")
    return answer.status_code, headers, text


@pytest.mark.parametrize(("method", "path"), templates.routes())
def test_an_answer_does_not_tell_whether_another_tenant_has_the_cluster(owner, stranger, service, method, path):
    tenants.without_role(stranger)
    before = everything(service, owner)
    assert ask(stranger, method, path, EXISTS) == ask(stranger, method, path, NEVER)
    assert everything(service, owner) == before


@pytest.mark.parametrize(("method", "path"), templates.routes())
def test_no_answer_names_another_tenant_or_anything_of_its_own(owner, stranger, service, method, path):
    [cluster] = [item["cluster_id"]["S"] for item in service.records(f"TENANT#{owner.name}") if "cluster_id" in item]
    told = str(ask(tenants.without_role(stranger), method, path, EXISTS))
    assert not [one for one in (owner.name, owner.role_arn, cluster, owner.onboarding()["external_id"]) if one in told]


def test_a_tenant_lists_only_its_own(owner, stranger):
    assert stranger.list() == []
    assert [cluster["name"] for cluster in owner.list()] == [EXISTS]


@pytest.mark.parametrize("action", ["delete", "retry"])
def test_a_job_cannot_name_the_cluster_of_another_tenant(owner, stranger, service, action):
    before = everything(service, owner)
    service.send(json.dumps({"action": action, "tenant": stranger.name, "name": EXISTS}))
    answered = until(lambda: audit_log.events(service, "jobs", stranger.name), "the job is answered")
    assert (answered[0]["cluster"], answered[0]["code"]) == (EXISTS, "cluster_not_found")
    assert everything(service, owner) == before


def test_the_tenant_of_a_job_cannot_be_written_so_that_it_reaches_another(owner, service):
    """Keys consist of tenant and name, so neither may contain what separates the two."""
    before = everything(service, owner)
    mark = secrets.token_hex(4)
    for tenant, name, told in [(f"{owner.name}#{mark}", EXISTS, f"#{mark}"), (owner.name, f"{EXISTS}/{mark}", f"/{mark}")]:
        service.send(json.dumps({"action": "delete", "tenant": tenant, "name": name}))
        until(lambda told=told: service.log_lines("jobs", told), "the job is refused by its name")
    assert everything(service, owner) == before


def test_two_tenants_may_use_the_same_idempotency_key(stranger, service):
    other = tenants.new(service)
    for one in (stranger, other):
        one.accepted("POST", "/clusters", tenants.without_role(one).request("mine"), **{"Idempotency-Key": "same"})
        assert len(one.list()) == 1


def create_with_a_tested_role(tenant, name):
    tenant.create(name)
    until(lambda: tenant.show(name)["stage"] not in (None, "validate", "assume-role"), "the role has passed its test")


def test_a_role_registered_by_another_tenant_is_refused_without_naming_that_tenant(service, stranger):
    owner = tenants.with_role(service, tenants.new(service), new_account(), role_name="groundwork-Ours")
    create_with_a_tested_role(owner, "mine")
    # In IAM, no two role names of an account differ only by case.
    for role_arn in (owner.role_arn, owner.role_arn.lower()):
        body = stranger.request("mine", role_arn=role_arn)
        found = problem(stranger.call("POST", "/clusters", body), 409, "role_registered")
        assert owner.name not in str(found)
    assert stranger.list() == []
    owner.create("mine-too")


def test_naming_a_role_does_not_take_it_from_its_owner(tenant, stranger):
    stranger.role_arn = tenant.role_arn
    stranger.create("early")
    stranger.wait("early", "failed")
    create_with_a_tested_role(tenant, "mine")
