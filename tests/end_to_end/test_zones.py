"""Zones are chosen by what they offer, before anything is made."""

import census
import settings


def test_nodes_are_in_zones_that_offer_their_type(tenant):
    cluster = tenant.running("spread", instance_types=[{"name": "p5en.48xlarge"}, {"name": "p6-b200.48xlarge"}])
    ec2, eks = tenant.account.client("ec2"), tenant.account.client("eks")
    zones = {subnet["SubnetId"]: subnet["AvailabilityZone"].removeprefix(settings.REGION) for subnet in ec2.describe_subnets()["Subnets"]}

    def zones_of(group):
        described = eks.describe_nodegroup(clusterName=cluster["outputs"]["cluster_name"], nodegroupName=group)
        return {zones[subnet] for subnet in described["nodegroup"]["subnets"]}

    assert zones_of("p5en-48xlarge") == set("ad")
    assert zones_of("p6-b200-48xlarge") == zones_of("system") == set("abd")
    tenant.gone("spread")


def test_a_type_that_no_zone_offers_is_named_before_anything_is_made(tenant):
    before = census.census(tenant.account)
    tenant.create("nowhere", instance_types=[{"name": "g4dn.xlarge"}, {"name": "p3.2xlarge"}, {"name": "m6i.lrge"}])
    parked = tenant.wait("nowhere", "failed")
    assert (parked["code"], parked["turn"]) == ("InstanceTypeNotOffered", "tenant")
    assert "p3.2xlarge (instead: g4dn.2xlarge" in parked["reason"] and "m6i.lrge (instead: m6i.large" in parked["reason"], parked
    assert "g4dn.xlarge" not in parked["reason"]
    assert census.census(tenant.account) == before
    tenant.gone("nowhere")
