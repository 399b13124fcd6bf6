"""What GET /onboarding gives a tenant, and what happens to an external ID in a request."""

import json

import pytest
import requests

import aws_clients
import customer_role
import settings
import templates
import tenants
from answers import problem
from waiting import until

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def test_the_answer_has_the_template_of_this_version_and_no_link_that_nobody_may_follow(stranger):
    wanted = stranger.onboarding()
    assert wanted["template"] == templates.source("onboarding/quick-start.yaml")
    assert wanted["quick_create_url"] is wanted["template_url"] is None and "quick_create_url" not in wanted["grant"]


def test_nobody_reads_lists_or_writes_the_bucket_of_the_template(service):
    host = f"{service.stack['QuickStartBucketName']}.s3.{settings.REGION}.amazonaws.com"
    template = "/quick-start/quick-start.yaml"
    for method, path in [("GET", "/"), ("GET", template), ("PUT", template), ("DELETE", template)]:
        answer = requests.request(method, f"{settings.EMULATOR_URL}{path}", headers={"Host": host}, timeout=30)
        assert answer.status_code == 403, (method, path, answer.text)


def test_the_template_needs_only_the_parameters_that_link_and_commands_fill_in(stranger):
    parameters = templates.template("onboarding/quick-start.yaml")["Parameters"]
    needed = {name for name, parameter in parameters.items() if "Default" not in parameter}
    assert needed == {"OperatorAccountId", "OperatorPrincipalPattern", "ExternalId"}
    assert all(f"{name}=" in stranger.onboarding()["commands"] for name in needed)
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


def test_a_bucket_for_everybody_is_refused_in_an_account_that_blocks_public_access(service):
    """The operator's account here does, so a deployment that needs a public bucket would fail, as on AWS."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS, False)}}
    everybody = {"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "s3:GetObject", "Resource": {"Fn::Sub": "${Bucket.Arn}/*"}}
    policy = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Version": "2012-10-17", "Statement": [everybody]}}
    resources = {"Bucket": bucket, "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}}
    cloudformation = aws_clients.operator("cloudformation")
    cloudformation.create_stack(StackName="public-bucket", TemplateBody=json.dumps({"Resources": resources}))
    assert until(lambda: customer_role.ended(cloudformation, "public-bucket"), "it ends")["StackStatus"] == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName="public-bucket")["StackEvents"]
    assert [one for one in events if "BlockPublicPolicy" in one.get("ResourceStatusReason", "")]


def test_the_boundary_lets_clusters_pull_the_images_that_the_customer_names_and_no_others(tenant):
    named = "arn:aws:ecr:us-west-2:222222222222:repository/team/*"
    for role_name, repositories, expected in (("groundwork-none", "", []), ("groundwork-some", f"{named},{named}2", [named, f"{named}2"])):
        customer_role.onboard(tenant.account, tenant.onboarding(), role_name, ImageRepositories=repositories)
        arn = f"arn:aws:iam::{tenant.account.number}:policy/groundwork/{role_name}-boundary"
        statements = customer_role.document(tenant.account.client("iam"), arn)["Statement"]
        assert [one["Resource"] for one in statements if one["Sid"] == "PullOwnImages"] == ([expected] if expected else [])


def test_clusters_may_be_in_the_vpcs_that_the_customer_names_and_in_no_others(tenant):
    named = f"arn:aws:ec2:us-west-2:{tenant.account.number}:vpc/vpc-0123456789abcdef0"
    of_policy = {"assume-role": "LookAtTheirNetwork", "create-nodegroups": "LaunchInTheirNetwork", "boundary": "InterfacesInTheirNetwork"}
    for role_name, vpcs in (("groundwork-nowhere", []), ("groundwork-there", [named, named[:-1] + "1"])):
        customer_role.onboard(tenant.account, tenant.onboarding(), role_name, NetworkVpcs=",".join(vpcs))
        for policy, sid in of_policy.items():
            arn = f"arn:aws:iam::{tenant.account.number}:policy/groundwork/{role_name}-{policy}"
            found = [one for one in customer_role.document(tenant.account.client("iam"), arn)["Statement"] if one["Sid"] == sid]
            granted = [one.get("Condition", {}).get("ArnLike", {}).get("ec2:Vpc", one["Resource"]) for one in found]
            assert granted == ([vpcs] if vpcs else []), policy


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
