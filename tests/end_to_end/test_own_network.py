"""A cluster in subnets that the customer made: verified, used, and left as they were."""

import pytest

import cloud
import kubernetes
import tenants
from account import new_account
from own_network import Network


@pytest.fixture
def network():
    return Network(new_account())


def request(network):
    return {"network": {"subnet_ids": network.subnets}, "instance_types": [{"name": "m7g.large"}]}


def test_the_customers_network_is_the_same_before_during_and_after(service, network):
    # GuardDuty would put an endpoint of its own there as soon as there is a cluster, and keep it.
    cloud.set_account(network.account.number, cloud.COMPANY | {"guard_duty": False})
    tenant = tenants.with_role(service, tenants.new(service), network.account, NetworkVpcs=network.arn)
    before = network.photograph()
    cluster = tenant.running("theirs", **request(network))
    during = network.photograph()
    for kind, things in before.items():
        assert [one for one in things if one not in during[kind]] == [], f"{kind}: as they were"
    for kind in ("Vpcs", "Subnets", "RouteTables", "InternetGateways", "NatGateways", "NetworkAcls", "VpcEndpoints"):
        assert during[kind] == before[kind], f"none has come to the {kind}"
    keys = {one["key"] for one in cluster["resources"]}
    assert "network" in keys and not keys & {"vpc", "internet-gateway", "nat-gateway", "elastic-ip", "s3-endpoint"}
    eks, name = network.account.client("eks"), cluster["outputs"]["cluster_name"]
    assert set(eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]["subnetIds"]) == set(network.subnets)
    groups = [eks.describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"] for group in cluster["outputs"]["node_groups"].values()]
    assert all(set(group["subnets"]) == set(network.subnets) for group in groups)
    assert "AL2023_ARM_64_STANDARD" in {group["amiType"] for group in groups}
    assert any(warning["path"] == "$.network.subnet_ids" for warning in cluster["warnings"]), "no subnet has a tag for load balancers"
    kubernetes.Leftovers(network.account, network.vpc, network.subnets, name, cluster["id"]).make()
    tenant.gone("theirs")
    assert network.photograph() == before


def test_an_organization_that_denies_networks_stops_only_clusters_that_would_get_one(service, network):
    tenant = tenants.with_role(service, tenants.new(service), network.account, NetworkVpcs=network.arn)
    calls = ("ec2:CreateVpc", "ec2:AllocateAddress", "ec2:CreateInternetGateway")
    cloud.set_faults([denied(call, network.account.number) for call in calls])
    try:
        told = tenant.check()
        assert told["works"] and "can only be in subnets of yours" in told["warnings"][0]["message"], told
        tenant.create("ours")
        assert tenant.wait("ours", "failed")["code"] == "OrganizationForbids"
        tenant.running("theirs", **request(network))
    finally:
        cloud.set_faults([])
    tenant.gone("theirs")
    tenant.gone("ours")


def denied(call, by):
    why = f"is not authorized to perform: {call} on resource: * with an explicit deny in a service control policy"
    refusal = {"status": 403, "code": "UnauthorizedOperation", "message": f"You are not authorized to perform this operation. User: a {why}."}
    return {"calls": call, "by": by, "effect": {"refuse": refusal}}


def test_without_the_quick_starts_parameter_nothing_is_made_and_the_hint_names_it(service, network):
    tenant = tenants.with_role(service, tenants.new(service), network.account)
    tenant.create("theirs", **request(network))
    parked = tenant.wait("theirs", "failed")
    assert network.vpc in parked["reason"] and f"{network.arn} in NetworkVpcs" in parked["hint"], parked
    assert [one for one in parked["resources"] if one["state"] != "absent"] == []
    tenant.gone("theirs")
