"""Faults that the customer makes and can fix: the cluster is parked and says what is wrong, and a retry goes on from there."""

import pytest

import census
import customer_role
import tenants

OWN_ROLE = "groundwork"


def no_trust(account, wanted):
    return customer_role.replace_trust(account, OWN_ROLE, f"::{wanted['principal']['account_id']}:", "::999999999999:")


def wrong_external_id(account, wanted):
    return customer_role.replace_trust(account, OWN_ROLE, wanted["external_id"], "somebody-else-s-external-id")


def without(*actions):
    def take(account, _):
        back = [customer_role.take_permission(account, OWN_ROLE, action) for action in actions]
        return lambda: [put_back() for put_back in back]

    return take


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (no_trust, "trust"),
        (wrong_external_id, "external ID"),
        (without("eks:CreateCluster"), "eks:CreateCluster"),
        (without("s3:PutBucketVersioning"), "s3:PutBucketVersioning"),
        (without("iam:CreateRole"), "iam:CreateRole"),
        (without("ec2:CreateNatGateway"), "ec2:CreateNatGateway"),
        (without("ec2:DescribeAvailabilityZones"), "ec2:DescribeAvailabilityZones"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_fault_of_the_role_is_named_and_a_retry_goes_on_once_it_is_fixed(tenant, fault, named):
    mend = fault(tenant.account, tenant.onboarding())
    before = census.census(tenant.account)
    tenant.create("parked")
    cluster = tenant.wait("parked", "failed")
    assert named in cluster["reason"] + cluster["hint"], cluster
    assert tenant.onboarding()["external_id"] not in str(cluster)
    # The fault is found before anything is made.
    assert census.census(tenant.account) == before

    mend()
    assert tenant.retry("parked")["status"] == "queued"
    assert tenant.wait("parked", "running")["reason"] is None
    owned = census.owned(tenant.account, cluster["id"])
    assert set(owned.values()) == {1} and {"vpc", "cluster", "role/node", "bucket/logs"} <= owned.keys(), owned
    tenant.gone("parked")
    assert census.census(tenant.account) == before


def test_a_region_that_does_not_exist_is_named_before_anything_is_made(tenant):
    before = census.census(tenant.account)
    tenant.create("lost", region="us-wset-2")
    assert "us-wset-2" in tenant.wait("lost", "failed")["reason"]
    assert census.census(tenant.account) == before


def test_a_cluster_whose_role_was_never_assumed_is_deleted_without_access(tenant):
    no_trust(tenant.account, tenant.onboarding())
    tenant.create("outside")
    tenant.wait("outside", "failed")
    assert tenant.gone("outside")["inventory"]["left"] == []


def test_a_permission_missing_at_deletion_blocks_it_and_retry_finishes_it(tenant):
    before = census.census(tenant.account)
    tenant.running("held")
    mend = customer_role.take_permission(tenant.account, OWN_ROLE, "ec2:DeleteSubnet")
    tenant.delete("held")
    assert "ec2:DeleteSubnet" in tenant.wait("held", "delete_blocked")["reason"]
    mend()
    tenant.retry("held")
    tenant.wait("held", "deleted")
    assert census.census(tenant.account) == before


def test_a_bucket_without_its_tag_holds_up_nothing_else_and_the_hint_helps(tenant):
    before = census.census(tenant.account)
    cluster = tenant.running("untagged")
    s3, bucket = tenant.account.client("s3"), f"groundwork-{cluster['id']}-logs"
    tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    s3.delete_bucket_tagging(Bucket=bucket)
    tenant.delete("untagged")
    blocked = tenant.wait("untagged", "delete_blocked")
    assert (blocked["code"], blocked["turn"], blocked["stage"]) == ("NotOurs", "tenant", "teardown"), blocked
    [trouble] = blocked["troubles"]
    assert (trouble["key"], trouble["waiting"], trouble["costs_money"]) == ("bucket/logs", [], True), trouble
    assert [found["id"] for found in blocked["inventory"]["left"]] == [bucket], "everything else has gone"

    assert "put the tag back" in blocked["hint"]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    tenant.retry("untagged")
    tenant.wait("untagged", "deleted")
    assert census.census(tenant.account) == before


def test_the_role_of_another_tenant_is_of_no_use(tenant, service):
    """The name of a role is no secret; the external ID keeps one tenant out of another's account."""
    thief = tenants.new(service)
    thief.role_arn = tenant.role_arn
    thief.create("stolen")
    assert "external ID" in thief.wait("stolen", "failed")["hint"]
