"""A cluster's whole life in an account that has everything that only companies' have, step by step: `make company` shows the steps."""

import pytest

import census
import cloud
import tenants
from account import new_account

OFFICE = ["54.240.193.0/24"]
TAGS = {"CostCenter": "4711"}
ORGANIZATION = "an administrator of the organization has to exempt this account or role"


@pytest.mark.timeout(600)
def test_a_cluster_lives_in_a_companys_account(service):
    tenant = tenants.with_role(service, tenants.new(service), new_account())
    before = census.census(tenant.account)
    step(f"the account {tenant.account.number}: {cloud.COMPANY}")

    cloud.set_account(tenant.account.number, cloud.COMPANY | {"demanded_tag": "CostCenter"})
    step("an organization that demands the tag CostCenter")
    is_refused(tenant, "untagged", before)

    step(f"the same organization, which forbids public endpoints, too, and one for {OFFICE}")
    is_refused(tenant, "public", before, public_access_cidrs=OFFICE, tags=TAGS)

    step("the same, with a private endpoint, and the tag on all that is made: nodes, volumes and interfaces, too")
    warned(tenant.create("private", public_access_cidrs=[], tags=TAGS))
    cluster = tenant.wait("private", "running")
    step(f"running, with {len(cluster['resources'])} resources")
    inventory = tenant.gone("private")["inventory"]
    step(f"deleted: {len(inventory['left'])} left, kept: {[(one['kind'], one['id']) for one in inventory['kept']]}")
    assert census.census(tenant.account) == before


def is_refused(tenant, name, before, **more):
    """By the organization, as the tenant reads. Then nothing is left of what was made."""
    warned(tenant.create(name, **more))
    cluster = tenant.wait(name, "failed")
    step(f"refused: {cluster['reason']}\n    hint: {cluster['hint']}")
    assert "service control policy" in cluster["reason"] and ORGANIZATION in cluster["hint"], cluster
    inventory = tenant.gone(name)["inventory"]
    step(f"deleted: {len(inventory['left'])} left")
    assert census.census(tenant.account) == before


def warned(cluster):
    for warning in cluster.get("warnings", []):
        step(f"warned: {warning['message']}")


def step(text):
    print(f"  {text}", flush=True)
