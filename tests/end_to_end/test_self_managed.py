"""Self-managed mode: Groundwork adds node groups to a cluster that the customer made, and deletes nothing else."""

import pytest

import tenants
from self_managed_customer import Customer

@pytest.fixture
def customer(service):
    return Customer(tenants.new(service))


def test_node_groups_come_and_go_and_what_the_customer_made_is_unchanged(customer):
    tenant = customer.tenant
    customer.add_node_group("their-own")
    customer.account.client("s3").put_object(Bucket=customer.buckets[0], Key="weights", Body=b"kept")
    before = customer.everything()

    wanted = [{"name": "m6i.large", "max_count": 5}, {"name": "g4dn.xlarge"}]
    cluster = tenant.running("joined", **customer.request(instance_types=wanted))
    assert cluster["endpoint_access"] == {"mode": "customer", "cidrs": None, "operator": None}
    assert cluster["outputs"]["cluster_name"] == customer.cluster
    assert cluster["outputs"]["endpoint"] == before[1]["endpoint"]
    assert {resource["state"] for resource in cluster["resources"]} == {"ready"}
    groups = customer.node_groups()
    assert groups.pop("their-own") == before[2]["their-own"]
    assert groups.keys() == {f"groundwork-{cluster['id']}-{name}" for name in ("m6i-large", "g4dn-xlarge")}
    for group in groups.values():
        assert (group["nodeRole"], group["subnets"]) == (customer.node_role, customer.subnets)
        assert group["tags"]["groundwork:cluster"] == cluster["id"] and "launchTemplate" not in group
        assert group["diskSize"] == 100
        assert bool(group["taints"]) == (group["instanceTypes"] == ["g4dn.xlarge"])
    # EKS makes an Auto Scaling group for each node group.
    during = customer.everything()
    assert during[0] | {"AutoScalingGroups": before[0]["AutoScalingGroups"]} == before[0] and during[1] == before[1]

    kept = tenant.gone("joined")["inventory"]["kept"]
    assert [(one["kind"], one["id"]) for one in kept] == [("cluster", customer.cluster), *(("bucket", name) for name in customer.buckets)]
    assert customer.everything() == before
    assert customer.account.client("s3").get_object(Bucket=customer.buckets[0], Key="weights")["Body"].read() == b"kept"


def test_without_instance_types_cluster_and_buckets_are_only_verified(customer):
    before = customer.everything()
    body = customer.request(instance_types=[])
    del body["node_role_arn"]
    assert customer.tenant.running("verified", **body)["outputs"]["node_groups"] == {}
    customer.tenant.gone("verified")
    assert customer.everything() == before


def test_a_name_that_the_role_does_not_cover_parks_with_a_hint_and_nothing_is_touched(customer):
    before = customer.everything()
    for name, wrong in [("astray", {"eks_cluster_name": "nobody-s"}), ("adrift", {"buckets": ["nobody-s"]})]:
        customer.tenant.create(name, **customer.request(**wrong))
        parked = customer.tenant.wait(name, "failed")
        assert "nobody-s" in parked["reason"] and next(iter(wrong)) in parked["hint"], parked
        assert customer.tenant.gone(name)["inventory"]["left"] == []
    assert customer.everything() == before


def test_a_missing_eks_cluster_parks_until_the_customer_has_made_it(customer):
    late = f"{customer.cluster}-late"
    customer.allow(late, customer.buckets)
    customer.tenant.create("early", **customer.request(eks_cluster_name=late))
    assert customer.tenant.wait("early", "failed")["code"] == "NoEksCluster"
    customer.make_cluster(late)
    customer.tenant.retry("early")
    customer.tenant.wait("early", "running")


@pytest.mark.parametrize("mistake, code", [("open", "BucketNotClosed"), ("absent", "NoBucket"), ("elsewhere", "BucketElsewhere")])
def test_an_unsuitable_bucket_parks_until_it_is_put_right(customer, mistake, code):
    bucket = f"{customer.cluster}-{mistake}"
    if mistake == "elsewhere":
        customer.make_bucket_elsewhere(bucket)
    if mistake == "open":
        customer.make_bucket(bucket)
        customer.close(bucket, closed=False)
    customer.allow(customer.cluster, [bucket])
    customer.tenant.create("leaky", **customer.request(buckets=[bucket]))
    parked = customer.tenant.wait("leaky", "failed")
    assert (parked["code"], bucket in parked["reason"]) == (code, True), parked
    put_right(customer, bucket, mistake)
    customer.tenant.retry("leaky")
    customer.tenant.wait("leaky", "running")


def put_right(customer, bucket, mistake):
    if mistake == "elsewhere":
        customer.account.client("s3").delete_bucket(Bucket=bucket)
    if mistake == "open":
        customer.close(bucket)
    else:
        customer.make_bucket(bucket)


def test_node_groups_are_made_in_the_requested_subnets(customer):
    cluster = customer.tenant.running("placed", **customer.request(subnet_ids=customer.subnets[:1]))
    assert customer.node_groups()[f"groundwork-{cluster['id']}-m6i-large"]["subnets"] == customer.subnets[:1]


def test_nodes_that_cannot_join_park_with_a_hint_and_are_deleted_with_the_cluster(customer):
    before = customer.everything()
    customer.tenant.create("lonely", **customer.request(instance_types=[{"name": "m6i.large", "overprovisioned_ondemand_count": 1}]))
    parked = customer.tenant.wait("lonely", "failed")
    assert parked["code"] == "NodeCreationFailure" and "ECR" in parked["hint"], parked
    customer.tenant.gone("lonely")
    assert customer.everything() == before


def test_a_node_group_with_our_name_but_not_our_tag_is_left_alone_and_blocks_the_deletion(customer):
    tenant = customer.tenant
    cluster = tenant.running("claimed", **customer.request())
    name = f"groundwork-{cluster['id']}-stray"
    customer.add_node_group(name)
    tenant.delete("claimed")
    left = tenant.wait("claimed", "delete_blocked")["inventory"]["left"]
    assert [(one["kind"], one["id"]) for one in left] == [("node group", name)]
    assert customer.node_groups().keys() == {name}
