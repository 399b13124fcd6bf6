"""A company's account: what its organization denies stops a cluster if a call meets it, and is a warning if only a simulation says so."""

import pytest

import census
import cloud
import customer_role
import settings
from waiting import until

ELSEWHERE = "eu-west-1"
ON_REQUEST = "ap-east-1"
ASKS = "an administrator of the organization has to exempt this account or role"


@pytest.fixture
def account_has(tenant):
    """Says what the tenant's account has, which other accounts have not. Afterwards it is plain again."""
    yield lambda **what: cloud.set_account(tenant.account.number, what)
    cloud.set_account(tenant.account.number, {})


def passes_the_check(tenant, name):
    """Waits until the stage that makes the network has begun."""

    def begun():
        cluster = tenant.show(name)
        assert cluster["status"] != "failed", cluster
        return any(one["state"] != "absent" for one in cluster["resources"] if one["key"] == "vpc")

    until(begun, f"{name} has passed the check of the role")


def test_a_denial_of_other_regions_is_a_warning_where_the_region_is_allowed(tenant, account_has):
    account_has(only_regions=[settings.REGION])
    cluster = tenant.running("allowed")
    messages = [warning["message"] for warning in cluster["warnings"]]
    assert any("In IAM's simulation a policy of the organization denies" in message for message in messages), messages
    tenant.gone("allowed")


@pytest.mark.parametrize(
    ("policy", "denied"),
    [({"only_regions": [ELSEWHERE]}, "ec2:DescribeAvailabilityZones"), ({"demanded_tag": "CostCenter"}, "ec2:CreateVpc")],
    ids=["another region", "a tag that is demanded"],
)
def test_what_a_call_is_denied_is_named_before_anything_is_made(tenant, account_has, policy, denied):
    before = census.census(tenant.account)
    account_has(**policy)
    tenant.create("forbidden")
    cluster = tenant.wait("forbidden", "failed")
    assert (cluster["code"], cluster["turn"]) == ("OrganizationForbids", "tenant"), cluster
    assert f"{denied} on resource" in cluster["reason"] and "in a service control policy" in cluster["reason"], cluster
    assert ASKS in cluster["hint"] and "Add " not in cluster["hint"] and "Encoded" not in cluster["reason"], cluster
    assert census.census(tenant.account) == before

    account_has()
    tenant.retry("forbidden")
    passes_the_check(tenant, "forbidden")
    tenant.gone("forbidden")
    assert census.census(tenant.account) == before


def test_what_the_role_itself_lacks_is_told_from_what_the_organization_denies(tenant, account_has):
    account_has(only_regions=[settings.REGION])
    customer_role.take_permission(tenant.account, "groundwork", "ec2:CreateNatGateway")
    tenant.create("lacking")
    cluster = tenant.wait("lacking", "failed")
    assert cluster["code"] == "MissingPermissions" and "ec2:CreateNatGateway on" in cluster["reason"], cluster
    assert "ec2:CreateVpc" not in cluster["reason"], cluster


def test_a_public_endpoint_that_the_organization_forbids_can_be_left_out(tenant, account_has):
    before = census.census(tenant.account)
    account_has(private_endpoints_only=True)
    tenant.create("public", public_access_cidrs=["8.8.8.0/24"])
    cluster = tenant.wait("public", "failed")
    assert "eks:CreateCluster" in cluster["reason"] and "create it without access.public_cidrs" in cluster["hint"], cluster
    assert ASKS in cluster["hint"] and "Add " not in cluster["hint"], cluster
    tenant.gone("public")
    assert census.census(tenant.account) == before
    tenant.create("private")
    until(lambda: state_of(tenant.show("private"), "cluster") == "pending", "EKS is making the control plane")
    tenant.gone("private")


def state_of(cluster, key):
    assert cluster["status"] != "failed", cluster
    return next((one["state"] for one in cluster["resources"] if one["key"] == key), None)


def test_a_region_that_only_the_customer_has_enabled_is_used(tenant, account_has):
    account_has(opted_in=[ON_REQUEST])
    tenant.create("far", region=ON_REQUEST)
    passes_the_check(tenant, "far")
    tenant.gone("far")


def test_a_region_that_the_customer_has_not_enabled_is_named(tenant):
    cloud.set_account("999999999999", {"opted_in": [ON_REQUEST]})
    tenant.create("far", region=ON_REQUEST)
    assert "Enable the cluster's region in the account" in tenant.wait("far", "failed")["hint"]
