"""What Kubernetes leaves behind goes with its cluster, and nobody else's things do."""

import census
import kubernetes


def test_leftovers_of_kubernetes_go_and_a_neighbour_stays_untouched(tenant):
    neighbour = kubernetes.of_neighbour(tenant.account, "groundwork-busy-aaaaaaaaaaaa")
    neighbour.make()
    neighbour.volume(tags=[])
    before = census.census(tenant.account)

    cluster = tenant.running("busy")
    kubernetes.of_cluster(tenant.account, cluster).make()
    during = census.census(tenant.account)
    for kind in ("LoadBalancers", "TargetGroups", "Volumes", "NetworkInterfaces", "SecurityGroups"):
        assert len(during[kind]) > len(before[kind]), kind

    tenant.gone("busy")
    assert census.census(tenant.account) == before


def test_a_stranger_s_things_in_the_cluster_s_network_block_its_deletion_until_they_are_gone(tenant):
    cluster = tenant.running("blocked")
    s3 = tenant.account.client("s3")
    squatter = f"groundwork-{cluster['id']}-squatter"
    s3.create_bucket(Bucket=squatter, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

    tenant.delete("blocked")
    inventory = tenant.wait("blocked", "delete_blocked")["inventory"]
    assert [one["id"] for one in inventory["left"]] == [squatter]
    s3.delete_bucket(Bucket=squatter)
    tenant.retry("blocked")
    assert tenant.wait("blocked", "deleted")["inventory"]["left"] == []
