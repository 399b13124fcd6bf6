"""Requests at the same time: the later one wins, nothing is made twice, and nothing is left."""

import random

import census
import settings
import tenants
from waiting import at_once, until


def test_two_deletions_at_once_start_one_teardown(tenant, service):
    before = census.census(tenant.account)
    cluster = tenant.running("twice")
    answers = at_once(*[lambda: tenant.call("DELETE", "/clusters/twice")] * 2)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert tenant.wait("twice", "deleted")["inventory"]["left"] == []
    assert len(service.executions("Teardown", cluster["id"])) == 1
    assert census.census(tenant.account) == before


def test_two_creations_of_a_name_at_once_make_one_cluster(stranger):
    stranger.role_arn = "arn:aws:iam::333333333333:role/groundwork-none"
    body = stranger.request("wanted")
    answers = at_once(*[lambda: stranger.call("POST", "/clusters", body)] * 4)
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert len(stranger.list()) == 1


def test_the_same_key_at_once_makes_one_cluster_and_one_answer(stranger):
    stranger.role_arn = "arn:aws:iam::333333333333:role/groundwork-none"
    body = stranger.request("keyed")
    answers = at_once(*[lambda: stranger.call("POST", "/clusters", body, **{"Idempotency-Key": "at-once"})] * 4)
    assert [answer.status_code for answer in answers] == [202] * 4, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(stranger.list()) == 1 and len(stranger.requested("keyed")) == 1


def test_a_deletion_wins_over_the_creation_whenever_it_comes(tenant):
    before = census.census(tenant.account)
    # How many events the log has when the deletion comes. A whole creation writes about a hundred.
    chance = random.Random(f"moments {settings.SEED}")
    moments = [0, *chance.sample(range(2, 80), 3)]
    print("deleting after this many events:", moments)
    at_once(*[lambda moment=moment: create_and_delete(tenant, f"brief-{moment}", moment) for moment in moments])
    assert census.census(tenant.account) == before


def create_and_delete(tenant, name, moment):
    tenant.create(name)
    until(lambda: len(tenant.events(name)) >= moment, f"{name} has {moment} events", every=0.05)
    tenant.gone(name)


def test_a_name_can_be_used_again_once_its_cluster_is_deleted(tenant):
    first = tenant.running("again")
    tenant.delete("again")
    answer = tenant.call("POST", "/clusters", tenant.request("again"))
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert "is being deleted" in answer.json()["detail"] and "GET /clusters/again" in answer.json()["hint"]
    tenant.wait("again", "deleted")

    second = tenant.create("again")
    assert second["id"] != first["id"] and tenant.show("again")["id"] == second["id"]
    assert tenant.wait("again", "running")["id"] == second["id"]
    assert set(census.owned(tenant.account, second["id"]).values()) == {1}
    assert census.owned(tenant.account, first["id"]) == {}
    tenant.gone("again")


def test_clusters_of_two_tenants_with_one_name_in_one_account_stay_apart(tenant, service):
    other = tenants.with_role(service, tenants.new(service), tenant.account, role_name="groundwork-other")
    at_once(lambda: tenant.running("same"), lambda: other.running("same"))
    before = census.owned(tenant.account, other.show("same")["id"])
    tenant.gone("same")
    assert other.show("same")["status"] == "running"
    assert census.owned(tenant.account, other.show("same")["id"]) == before
    other.gone("same")
