"""What Kubernetes leaves behind is deleted with its cluster, and nothing of anybody else's is."""

import census
import cloud
import kubernetes


def test_leftovers_of_kubernetes_are_deleted_and_the_neighbours_stay(tenant):
    for tagged in (True, False):
        kubernetes.of_neighbour(tenant.account, "groundwork-busy-aaaaaaaaaaaa", tagged).make()
    before = census.census(tenant.account)

    cluster = tenant.running("busy")
    kubernetes.of_cluster(tenant.account, cluster).make()
    during = census.census(tenant.account)
    for kind in ("LoadBalancers", "TargetGroups", "Volumes", "NetworkInterfaces", "SecurityGroups"):
        assert len(during[kind]) > len(before[kind]), kind

    tenant.gone("busy")
    assert census.census(tenant.account) == before


def test_what_guard_duty_put_into_the_vpc_goes_with_the_cluster(tenant):
    before = census.census(tenant.account)
    cloud.set_account(tenant.account.number, {"guard_duty": True})
    cluster = tenant.running("guarded")
    vpc_id = next(one["outputs"]["id"] for one in cluster["resources"] if one["key"] == "vpc")
    endpoints = tenant.account.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    guard_dutys = [one for one in endpoints if census.tags_of(one).get("GuardDutyManaged") == "true"]
    assert [one["VpcId"] for one in guard_dutys] == [vpc_id]

    tenant.gone("guarded")
    assert census.census(tenant.account) == before


def test_a_foreign_subnet_in_the_vpc_is_left_alone_and_named_as_what_blocks_the_deletion(tenant):
    cluster = tenant.running("shared")
    ec2 = tenant.account.client("ec2")
    vpc_id = next(one["outputs"]["id"] for one in cluster["resources"] if one["key"] == "vpc")
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.255.0/24")["Subnet"]["SubnetId"]

    tenant.delete("shared")
    blocked = tenant.wait("shared", "delete_blocked")
    assert {one["id"] for one in blocked["inventory"]["left"]} >= {subnet, vpc_id}
    assert "vpc" in blocked["reason"]
    ec2.delete_subnet(SubnetId=subnet)
    tenant.retry("shared")
    assert tenant.wait("shared", "deleted")["inventory"]["left"] == []


def test_a_foreign_bucket_with_the_name_of_the_cluster_blocks_the_deletion_until_it_is_gone(tenant):
    cluster = tenant.running("blocked")
    s3 = tenant.account.client("s3")
    squatter = f"groundwork-{cluster['id']}-squatter"
    s3.create_bucket(Bucket=squatter, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

    tenant.delete("blocked")
    blocked = tenant.wait("blocked", "delete_blocked")
    assert [one["id"] for one in blocked["inventory"]["left"]] == [squatter]
    assert squatter in blocked["reason"]
    s3.delete_bucket(Bucket=squatter)
    tenant.retry("blocked")
    assert tenant.wait("blocked", "deleted")["inventory"]["left"] == []
