"""What GET /onboarding/check says of a role, without a cluster."""

import pytest

import census
import cloud
import customer_role
import settings
import templates
import tenants
from account import new_account
from answers import problem
from test_trust import with_everybody, without_condition

ROLE = "groundwork"


def codes(told):
    return [fault["code"] for fault in told["faults"]]


def test_a_role_that_works_is_said_to_and_nothing_is_made_or_claimed(tenant, service):
    cloud.set_account(tenant.account.number, {})
    before = census.census(tenant.account)
    told = tenant.check()
    assert told == {"role_arn": tenant.role_arn, "region": settings.REGION, "works": True, "faults": [], "warnings": []}
    assert census.census(tenant.account) == before
    assert service.records(f"ROLE#{tenant.role_arn.lower()}") == [] and tenant.list() == []


def test_another_tenant_may_not_ask_about_a_role_that_is_registered(tenant, service):
    tenant.running("first")
    tenant.gone("first")
    problem(tenants.new(service).call("GET", f"/onboarding/check?role_arn={tenant.role_arn}"), 409, "role_registered")
    assert tenant.check()["works"]


def test_a_role_that_is_not_there_is_refused_until_it_is(stranger):
    account = new_account()
    role_arn = f"arn:aws:iam::{account.number}:role/{ROLE}"
    told = stranger.check(role_arn)
    assert (codes(told), told["works"], told["faults"][0]["turn"]) == (["RoleRefused"], False, "tenant"), told
    assert "what it may do is tried once it lets Groundwork in" in told["faults"][0]["hint"], told
    customer_role.onboard(account, stranger.onboarding())
    assert stranger.check(role_arn)["works"]


def test_a_role_with_another_tenant_s_external_id_is_refused(stranger, tenant):
    assert codes(stranger.check(tenant.role_arn)) == ["RoleRefused"]


@pytest.mark.parametrize("change", [without_condition, with_everybody])
def test_everything_that_is_wrong_is_told_at_once_and_the_trust_first(tenant, change):
    customer_role.change_trust(tenant.account, ROLE, lambda policy: policy | {"Statement": [change(policy["Statement"][0])]})
    policy = customer_role.remove_policy(tenant.account, ROLE, "teardown")
    missing = ("s3:CreateBucket", "eks:CreateNodegroup")
    for action in missing:
        customer_role.take_permission(tenant.account, ROLE, action)
    told = tenant.check()
    assert codes(told) == ["OpenTrust", "MissingPolicies", "MissingPermissions"] and not told["works"], told
    _, of_policies, of_permissions = told["faults"]
    assert policy in of_policies["reason"] and all(action in of_permissions["reason"] for action in missing), told
    assert not [fault for fault in told["faults"] if "cluster" in fault["hint"]], told


def test_what_the_organization_may_deny_is_a_warning_and_what_it_denies_a_fault(tenant):
    cloud.set_account(tenant.account.number, {"only_regions": [settings.REGION]})
    told = tenant.check()
    assert told["works"] and "In IAM's simulation a policy of the organization denies" in told["warnings"][0]["message"], told
    cloud.set_account(tenant.account.number, {"demanded_tag": "CostCenter"})
    told = tenant.check()
    assert codes(told) == ["OrganizationForbids"] and "in the tags of a request" in told["faults"][0]["hint"], told


def test_an_account_that_lets_nothing_out_is_told_before_there_is_a_cluster(tenant):
    cloud.set_account(tenant.account.number, {"blocks_internet": True})
    assert codes(tenant.check()) == ["InternetBlocked"]


def test_a_region_that_is_not_there_is_told(tenant):
    told = tenant.check(region="us-west-9")
    assert (codes(told), told["region"]) == (["NoSuchRegion"], "us-west-9"), told
    assert "describe-regions" in told["faults"][0]["hint"], told


def test_every_parameter_that_is_invalid_is_named_with_what_would_be_valid(stranger):
    for query, expected in [
        ("", {"?role_arn": "required"}),
        ("?role_arn=admin&region=Oregon", {"?role_arn": '"groundwork" and up to 22 more', "?region": "such as us-west-2"}),
        ("?role_arn=arn:aws:iam::222222222222:role/groundwork&role=x", {"?role": "no such parameter"}),
    ]:
        faults = problem(stranger.call("GET", f"/onboarding/check{query}"), 400, "invalid_request")["faults"]
        told = {fault["path"]: fault["message"] for fault in faults}
        assert told.keys() == expected.keys() and all(words in told[path] for path, words in expected.items()), faults


def test_only_assume_role_and_teardown_are_called_by_the_api_and_no_function_has_more_for_it():
    allowed = [one for where, one in templates.statements("template.yaml") if "/ApiRole/" in where and one["Action"] == "lambda:InvokeFunction"]
    assert [one["Resource"] for one in allowed] == [[{"!GetAtt": "StageTeardown.Arn"}, {"!GetAtt": "StageAssumeRole.Arn"}]]
