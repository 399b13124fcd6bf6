"""Accounts that stop a cluster: what the tenant reads, and that it goes on once the account is otherwise."""

import census
import cloud


def test_a_new_account_has_no_gpus_until_its_quota_is_raised(tenant):
    cloud.set_account(tenant.account.number, {})
    before = census.census(tenant.account)
    tenant.create("gpus", instance_types=[{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 1}])
    cluster = tenant.wait("gpus", "failed")
    assert "The node group g4dn-xlarge is CREATE_FAILED" in cluster["reason"] and "your current vCPU limit of 0" in cluster["reason"], cluster
    assert "L-DB2E81BA" in cluster["hint"] and "with a type of a family whose quota suffices" in cluster["hint"], cluster
    cloud.set_account(tenant.account.number, cloud.COMPANY)
    tenant.retry("gpus")
    tenant.wait("gpus", "running")
    tenant.gone("gpus")
    assert census.census(tenant.account) == before


def test_nothing_is_made_in_an_account_that_lets_nothing_out(tenant):
    cloud.set_account(tenant.account.number, cloud.COMPANY | {"blocks_internet": True})
    before = census.census(tenant.account)
    tenant.create("inside")
    cluster = tenant.wait("inside", "failed")
    assert cluster["code"] == "InternetBlocked" and "block-ingress" in cluster["hint"], cluster
    assert census.census(tenant.account) == before
    cloud.set_account(tenant.account.number, cloud.COMPANY)
    tenant.retry("inside")
    tenant.wait("inside", "running")
    tenant.gone("inside")
