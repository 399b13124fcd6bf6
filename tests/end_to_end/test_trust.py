"""A role must let Groundwork in, and nobody else. That is tested before anything is made, and only a role that passes is registered."""

import pytest

import census
import customer_role
import tenants

ROLE = "groundwork"


def without_condition(statement):
    return statement | {"Condition": {"ArnLike": statement["Condition"]["ArnLike"]}}


def with_any_external_id(statement):
    return statement | {"Condition": statement["Condition"] | {"StringEquals": {}, "StringLike": {"sts:ExternalId": "*"}}}


def with_everybody(statement):
    return statement | {"Principal": {"AWS": "*"}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_condition, "Your role can be assumed without the external ID; add the condition on sts:ExternalId."),
        (with_any_external_id, "Your role can be assumed with any external ID"),
        (with_everybody, "a wildcard principal"),
    ],
)
def test_a_role_that_lets_others_in_parks_the_cluster_and_is_not_registered(tenant, service, change, said):
    before = census.census(tenant.account)
    close = customer_role.change_trust(tenant.account, ROLE, lambda policy: policy | {"Statement": [change(policy["Statement"][0])]})
    tenant.create("open")
    cluster = tenant.wait("open", "failed")
    assert said in cluster["reason"] and cluster["code"] == "OpenTrust", cluster
    assert census.census(tenant.account) == before

    other = tenants.new(service)
    other.role_arn = tenant.role_arn
    assert other.call("POST", "/clusters", other.request("theirs")).status_code == 202
    close()
    tenant.retry("open")
    tenant.wait("open", "running")
    refused = other.call("POST", "/clusters", other.request("again"))
    assert (refused.status_code, refused.json()["code"]) == (409, "role_registered")
    tenant.gone("open")


def test_a_role_that_is_not_there_is_refused_whatever_else_is_missing(stranger):
    tenants.without_role(stranger).create("nowhere")
    cluster = stranger.wait("nowhere", "failed")
    assert cluster["code"] == "RoleRefused" and "the role does not exist" in cluster["reason"], cluster


def test_a_policy_of_the_quick_start_that_is_missing_is_named_and_nothing_is_made(tenant):
    policy = customer_role.remove_policy(tenant.account, ROLE, "create-eks")
    before = census.census(tenant.account)
    tenant.create("lacking")
    cluster = tenant.wait("lacking", "failed")
    assert cluster["code"] == "MissingPolicies" and policy in cluster["reason"], cluster
    assert census.census(tenant.account) == before


def test_all_missing_permissions_are_named_at_once_and_nothing_is_made(tenant):
    missing = ("s3:CreateBucket", "ec2:CreateVpc", "eks:CreateNodegroup", "iam:PassRole", "elasticloadbalancing:DescribeLoadBalancers")
    for action in missing:
        customer_role.take_permission(tenant.account, ROLE, action)
    before = census.census(tenant.account)
    tenant.create("lacking")
    cluster = tenant.wait("lacking", "failed")
    assert cluster["code"] == "MissingPermissions" and all(action in cluster["reason"] for action in missing), cluster
    assert "quick-start" in cluster["hint"] and census.census(tenant.account) == before


def test_a_customer_from_before_the_roles_had_a_path_need_not_change_anything(tenant):
    customer_role.replace_trust(tenant.account, ROLE, "-Stages/*", "-Stage*")
    tenant.running("early")
    tenant.gone("early")
