"""What GET /onboarding gives a tenant, and what happens to an external ID in a request."""

from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

import customer_role
import settings
import templates
import tenants
from answers import problem
from waiting import until


def test_the_template_of_this_version_is_at_the_url_in_the_answer(stranger):
    url = urlsplit(stranger.onboarding()["template_url"])
    assert url.scheme == "https" and url.hostname.endswith(f".s3.{settings.REGION}.amazonaws.com")
    # The host name is AWS's; the emulator answers to it here. No credentials, because the customer has none of the operator's.
    answer = requests.get(f"{settings.EMULATOR_URL}{url.path}", headers={"Host": url.hostname}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.text == templates.source("onboarding/quick-start.yaml")


def test_nobody_lists_or_writes_the_bucket_of_the_template(stranger):
    url = urlsplit(stranger.onboarding()["template_url"])
    for method, path in [("GET", "/"), ("GET", "/other"), ("PUT", url.path), ("DELETE", url.path)]:
        answer = requests.request(method, f"{settings.EMULATOR_URL}{path}", headers={"Host": url.hostname}, timeout=30)
        assert answer.status_code == 403, (method, path, answer.text)


def test_the_link_opens_cloudformation_with_every_parameter_filled_in(stranger):
    wanted = stranger.onboarding()
    url = urlsplit(wanted["quick_create_url"])
    assert url.hostname == f"{settings.REGION}.console.aws.amazon.com" and f"region={settings.REGION}" in url.query
    page, _, query = url.fragment.partition("?")
    assert page == "/stacks/create/review"
    fields = dict(parse_qsl(query, strict_parsing=True))
    assert (fields.pop("templateURL"), fields.pop("stackName")) == (wanted["template_url"], "groundwork")
    assert fields == {
        "param_OperatorAccountId": wanted["principal"]["account_id"],
        "param_OperatorPrincipalPattern": wanted["principal"]["pattern"],
        "param_ExternalId": wanted["external_id"],
    }


def test_the_template_needs_only_the_parameters_that_the_link_fills_in():
    parameters = templates.template("onboarding/quick-start.yaml")["Parameters"]
    needed = {name for name, parameter in parameters.items() if "Default" not in parameter}
    assert needed == {"OperatorAccountId", "OperatorPrincipalPattern", "ExternalId"}
    # The console ignores a link's value for a parameter with NoEcho.
    assert not [name for name in needed if parameters[name].get("NoEcho")]


def test_the_answer_has_every_policy_of_the_role_that_the_quick_start_makes(tenant):
    iam = tenant.account.client("iam")
    attached = {one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName="groundwork")["AttachedPolicies"]}
    own = {"${partition}": "aws", "${account}": tenant.account.number, "${role}": "groundwork"}
    answered = {filled(arn, own): document for arn, document in tenant.onboarding()["policy"].items()}
    [boundary] = answered.keys() - attached
    assert attached < answered.keys() and iam.get_policy(PolicyArn=boundary)
    assert all(document["Statement"] for document in answered.values())


def test_the_answer_has_the_trust_policy_that_the_quick_start_gives_the_role(tenant):
    role = tenant.account.client("iam").get_role(RoleName="groundwork")["Role"]
    assert tenant.onboarding()["trust_policy"] == role["AssumeRolePolicyDocument"]


def test_a_quick_start_that_is_deleted_too_early_leaves_the_role_and_goes_after_the_cluster(tenant):
    tenant.running("early")
    cloudformation, iam = tenant.account.client("cloudformation"), tenant.account.client("iam")
    assert deleted(cloudformation) == "DELETE_FAILED" and iam.get_role(RoleName="groundwork")
    tenant.gone("early")
    assert deleted(cloudformation) == "DELETE_COMPLETE"
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="groundwork")


def deleted(cloudformation):
    """How deleting the quick-start's stack ends."""
    stack = cloudformation.describe_stacks(StackName="onboarding-groundwork")["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack)
    return until(lambda: customer_role.ended(cloudformation, stack), "the deletion ends")["StackStatus"]


def filled(arn, own):
    for placeholder, value in own.items():
        arn = arn.replace(placeholder, value)
    return arn


def test_every_tenant_has_an_external_id_of_its_own_and_keeps_it(stranger, service):
    own = stranger.onboarding()["external_id"]
    assert len(own) >= 30 and stranger.onboarding()["external_id"] == own
    assert tenants.new(service).onboarding()["external_id"] != own


def test_the_external_id_of_the_tenant_is_accepted_and_not_shown_again(stranger):
    own = stranger.onboarding()["external_id"]
    body = tenants.without_role(stranger).request("older", external_id=own)
    answer = stranger.call("POST", "/clusters", body, **{"Idempotency-Key": "older"})
    assert answer.status_code == 202 and own not in answer.text
    assert own not in stranger.call("GET", "/clusters/older").text
    # The same request, written as the documents have it.
    del body["external_id"]
    again = stranger.call("POST", "/clusters", body, **{"Idempotency-Key": "older"})
    assert (again.status_code, again.json()["id"]) == (202, answer.json()["id"])


@pytest.mark.parametrize("given", ["dummy", "", 7, {"of": "another tenant"}])
def test_any_other_external_id_is_refused_with_what_to_do(stranger, service, given):
    if isinstance(given, dict):
        given = tenants.new(service).onboarding()["external_id"]
    body = tenants.without_role(stranger).request("Older", external_id=given)
    refusal = problem(stranger.call("POST", "/clusters", body), 400, "invalid_request")
    faults = {fault["path"]: fault["message"] for fault in refusal["faults"]}
    # Listed with all other faults.
    assert set(faults) == {"$.name", "$.external_id"}
    assert "GET /onboarding" in faults["$.external_id"] and "leave this field out" in faults["$.external_id"]
    assert stranger.list() == []
