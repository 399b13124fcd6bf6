"""A tenant sees, changes, names and counts only its own, and learns nothing of the others."""

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

EXISTS, NEVER = "secret", "nobody"
# The text is compared; its length varies with the fraction of a second in it.
NEW_IN_EVERY_ANSWER = ("date", "x-amzn-requestid", "apigw-requestid", "content-length")


@pytest.fixture(scope="module")
def owner(service):
    """A tenant with a cluster at rest."""
    owner = tenants.without_role(tenants.new(service))
    owner.create(EXISTS)
    owner.wait(EXISTS, "failed")
    return owner


def everything(service, tenant):
    """All that the records have of a tenant and its cluster: names, counts, the cluster, its journal, its log."""
    own = service.records(f"TENANT#{tenant.name}")
    ids = [item["cluster_id"]["S"] for item in own if item["sk"]["S"].startswith("NAME#")]
    assert ids
    return [own, *(service.records(f"CLUSTER#{one}") for one in ids)]


def ask(tenant, method, path, name):
    """An answer's status, headers and text, without the name, and without what is new in every answer."""
    body = tenant.request(name) if method in ("POST", "PUT", "PATCH") else None
    answer = tenant.call(method, path.replace("{name}", name), body)
    assert "route_not_found" not in answer.text
    headers = {key: value.replace(name, "<name>") for key, value in answer.headers.items() if key.lower() not in NEW_IN_EVERY_ANSWER}
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", answer.text.replace(name, "<name>"))
    return answer.status_code, headers, re.sub(r'"id":"\w+"', '"id":"<id>"', text)


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
def test_a_job_cannot_name_another_tenant_s_cluster(owner, stranger, service, action):
    before = everything(service, owner)
    service.send(json.dumps({"action": action, "tenant": stranger.name, "name": EXISTS}))
    answered = until(lambda: audit_log.events(service, "jobs", stranger.name), "the job is answered")
    assert (answered[0]["cluster"], answered[0]["code"]) == (EXISTS, "cluster_not_found")
    assert everything(service, owner) == before


def test_a_tenant_of_a_job_cannot_be_spelled_into_another_s_records(owner, service):
    """Keys are made of tenant and name; what could end one part and begin another is no tenant and no name."""
    before = everything(service, owner)
    mark = secrets.token_hex(4)
    for tenant, name, told in [(f"{owner.name}#{mark}", EXISTS, f"#{mark}"), (owner.name, f"{EXISTS}/{mark}", f"/{mark}")]:
        service.send(json.dumps({"action": "delete", "tenant": tenant, "name": name}))
        until(lambda told=told: service.log_lines("jobs", told), "the job is refused by its name")
    assert everything(service, owner) == before


def test_keys_of_two_tenants_do_not_meet(stranger, service):
    other = tenants.new(service)
    for one in (stranger, other):
        one.accepted("POST", "/clusters", tenants.without_role(one).request("mine"), **{"Idempotency-Key": "same"})
        assert len(one.list()) == 1


def create_with_a_tested_role(tenant, name):
    tenant.create(name)
    until(lambda: tenant.show(name)["stage"] not in (None, "validate", "assume-role"), "the role has passed its test")


def test_a_role_that_another_tenant_proved_to_be_its_own_is_refused_without_a_word_about_whose_it_is(service, stranger):
    owner = tenants.with_role(service, tenants.new(service), new_account(), role_name="groundwork-Ours")
    create_with_a_tested_role(owner, "mine")
    # IAM tells no two roles of an account apart by case.
    for role_arn in (owner.role_arn, owner.role_arn.lower()):
        body = stranger.request("mine", role_arn=role_arn)
        found = problem(stranger.call("POST", "/clusters", body), 409, "role_registered")
        assert owner.name not in str(found)
    assert stranger.list() == []
    owner.create("mine-too")


def test_naming_a_role_does_not_take_it_from_its_tenant(tenant, stranger):
    stranger.role_arn = tenant.role_arn
    stranger.create("early")
    stranger.wait("early", "failed")
    create_with_a_tested_role(tenant, "mine")
