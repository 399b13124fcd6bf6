"""What a cluster is in the customer's account, and that nothing of it is left afterwards."""

import json

import pytest

import census
import cloud
import kept
import keys
import kubernetes
import settings
from answers import problem

ADMIN, USER = "administrator", "researcher"
ZONES = [settings.REGION + letter for letter in "bd"]


def test_an_account_is_the_same_after_a_cluster_as_before(tenant):
    # A public endpoint, which the organization would not allow.
    cloud.set_account(tenant.account.number, cloud.COMPANY | {"private_endpoints_only": False})
    before = census.census(tenant.account)
    key = keys.new(tenant.account)
    cluster = tenant.running(
        "whole",
        encryption={"kms_key_arn": key},
        instance_types=[
            {"name": "m6i.large", "overprovisioned_ondemand_count": 2, "max_count": 5, "labels": {"team": "vision"}, "disk_gib": 40},
            {"name": "m6i.large", "capacity": "spot", "alternatives": ["m7i.large", "m6a.large"]},
            {"name": "g4dn.xlarge", "taints": [{"key": "team", "value": "vision", "effect": "NoExecute"}]},
        ],
        admin_principal_arn=f"arn:aws:iam::{tenant.account.number}:role/{ADMIN}",
        access={"users": [f"arn:aws:iam::{tenant.account.number}:role/{USER}"]},
        public_access_cidrs=["54.240.193.0/24"],
        performance_profile="standard",
        network={"cidr": "172.20.16.0/20", "service_cidr": "10.96.0.0/12", "zones": ZONES, "flow_logs": True},
        kubernetes={"version": "1.34", "logs": ["audit", "scheduler"], "log_retention_days": 30},
    )
    assert cluster["endpoint_access"] == {"mode": "given", "cidrs": ["54.240.193.0/24"], "operator": None}
    looks = (network, flow_log, launch_templates, control_plane, add_ons, administrator, user, node_groups, roles, pods_roles, buckets, log_group)
    for look in looks:
        look(tenant.account, cluster)
    encrypted(tenant.account, cluster, key)
    assert set(census.owned(tenant.account, cluster["id"]).values()) == {1}
    fill(tenant.account, cluster["outputs"]["buckets"]["artifacts"])
    kubernetes.of_cluster(tenant.account, cluster).claim()

    assert tenant.gone("whole", data="delete")["inventory"]["kept"] == service_linked(tenant)
    assert tenant.requested("whole")[-1]["message"].endswith("Its data is to be deleted, too.")
    assert census.census(tenant.account) == before
    assert log_groups(tenant.account, cluster) == []


def filters(cluster):
    return [{"Name": "tag:groundwork:cluster", "Values": [cluster["id"]]}]


def network(account, cluster):
    ec2 = account.client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=filters(cluster))["Vpcs"]
    assert vpc["CidrBlock"] == "172.20.16.0/20"
    for attribute, answer in (("enableDnsHostnames", "EnableDnsHostnames"), ("enableDnsSupport", "EnableDnsSupport")):
        assert ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)[answer]["Value"]
    subnets = ec2.describe_subnets(Filters=filters(cluster))["Subnets"]
    shared = f"kubernetes.io/cluster/{cluster['outputs']['cluster_name']}"
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert {subnet["AvailabilityZone"] for subnet in subnets} == set(ZONES)
    for role in ("kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"):
        some = [subnet for subnet in subnets if census.tags_of(subnet).get(role) == "1"]
        assert 2 <= len({subnet["AvailabilityZone"] for subnet in some}) == len(some) == len(subnets) // 2
        assert {census.tags_of(subnet).get(shared) for subnet in some} == {"shared"}
    # The emulator also gives what carries no tag of ours: GuardDuty's.
    endpoints = ec2.describe_vpc_endpoints(Filters=filters(cluster))["VpcEndpoints"]
    [endpoint] = [one for one in endpoints if "groundwork:cluster" in census.tags_of(one)]
    assert (endpoint["VpcEndpointType"], endpoint["ServiceName"]) == ("Gateway", f"com.amazonaws.{settings.REGION}.s3")
    ways_out = {route_target(route) for table in tables(ec2, cluster) for route in table["Routes"] if way_out(route)}
    assert sorted(target.split("-")[0] for target in ways_out) == ["igw", "nat", "nat"]


def flow_log(account, cluster):
    ec2, bucket = account.client("ec2"), cluster["outputs"]["buckets"]["logs"]
    [log] = [one for one in ec2.describe_flow_logs(Filters=filters(cluster))["FlowLogs"] if "groundwork:cluster" in census.tags_of(one)]
    assert log["ResourceId"] == ec2.describe_vpcs(Filters=filters(cluster))["Vpcs"][0]["VpcId"]
    assert (log["TrafficType"], log["LogDestination"]) == ("ALL", f"arn:aws:s3:::{bucket}")
    policy = json.loads(account.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    deliveries = [one for one in policy["Statement"] if one["Principal"] == {"Service": "delivery.logs.amazonaws.com"}]
    below = f"arn:aws:s3:::{bucket}/AWSLogs/{account.number}/*"
    assert {one["Action"]: one["Resource"] for one in deliveries} == {"s3:PutObject": below, "s3:GetBucketAcl": f"arn:aws:s3:::{bucket}"}
    assert {one["Condition"]["StringEquals"]["aws:SourceAccount"] for one in deliveries} == {account.number}


def tables(ec2, cluster):
    return ec2.describe_route_tables(Filters=filters(cluster))["RouteTables"]


def way_out(route):
    return route.get("DestinationCidrBlock") == "0.0.0.0/0"


def route_target(route):
    return route.get("NatGatewayId") or route.get("GatewayId")


def launch_templates(account, cluster):
    ec2 = account.client("ec2")
    templates = ec2.describe_launch_templates(Filters=filters(cluster))["LaunchTemplates"]
    assert len(templates) == 4
    for template in templates:
        [version] = ec2.describe_launch_template_versions(LaunchTemplateId=template["LaunchTemplateId"])["LaunchTemplateVersions"]
        data = version["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required" and int(data["MetadataOptions"]["HttpPutResponseHopLimit"]) == 1
        assert all(str(disk["Ebs"]["Encrypted"]).lower() == "true" for disk in data["BlockDeviceMappings"])
        group = template["LaunchTemplateName"].split("-lt-")[1]
        sizes = [int(disk["Ebs"]["VolumeSize"]) for disk in data["BlockDeviceMappings"] if disk["Ebs"].get("VolumeSize")]
        assert sizes == [{"system": 80, "m6i.large": 40, "spot-m6i.large": 80, "g4dn.xlarge": 100}[group]]
        tagged = {given["ResourceType"]: census.tags_of(given) for given in data["TagSpecifications"]}
        assert {"instance", "volume"} <= tagged.keys()
        assert {tags["groundwork:cluster"] for tags in tagged.values()} == {cluster["id"]}


def control_plane(account, cluster):
    eks = account.client("eks").describe_cluster(name=cluster["outputs"]["cluster_name"])["cluster"]
    assert eks["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "10.96.0.0/12"
    network = eks["resourcesVpcConfig"]
    assert network["endpointPrivateAccess"] and network["endpointPublicAccess"]
    assert network["publicAccessCidrs"] == ["54.240.193.0/24"]
    logged = [kind for setup in eks["logging"]["clusterLogging"] if setup["enabled"] for kind in setup["types"]]
    assert (eks["version"], set(logged)) == ("1.34", {"audit", "scheduler"})
    assert eks["tags"]["groundwork:cluster"] == cluster["id"]
    assert (eks["endpoint"], eks["certificateAuthority"]["data"]) == (
        cluster["outputs"]["endpoint"], cluster["outputs"]["certificate_authority"]
    )


# The emulator forgets the key of a launch template's volumes, which row 136 of the failures looks at.
def encrypted(account, cluster, key):
    eks = account.client("eks").describe_cluster(name=cluster["outputs"]["cluster_name"])["cluster"]
    assert [config["provider"] for config in eks["encryptionConfig"]] == [{"keyArn": key}]
    for bucket in cluster["outputs"]["buckets"].values():
        [rule] = account.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}


def test_a_key_that_keeps_those_out_who_need_it_is_told_with_what_mends_it_before_anything_is_made(tenant):
    key = keys.new(tenant.account)
    kms = tenant.account.client("kms")
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(keys.policy(tenant.account.number, auto_scaling=False)))
    kms.disable_key(KeyId=key)
    tenant.create("locked", encryption={"kms_key_arn": key})
    cluster = tenant.wait("locked", "failed")
    assert cluster["code"] == "KeyNotUsable" and "its state is Disabled; its policy does not allow Auto Scaling" in cluster["reason"]
    assert "aws kms enable-key" in cluster["hint"] and "AutoScalingAttachesVolumes" in cluster["hint"]
    assert census.owned(tenant.account, cluster["id"]) == {}
    kms.enable_key(KeyId=key)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(keys.policy(tenant.account.number)))
    tenant.retry("locked")
    tenant.wait("locked", "running")
    tenant.gone("locked")


def add_ons(account, cluster):
    eks, name = account.client("eks"), cluster["outputs"]["cluster_name"]
    found = eks.list_addons(clusterName=name)["addons"]
    everywhere = {"vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "aws-ebs-csi-driver"}
    assert set(found) == everywhere | {"aws-mountpoint-s3-csi-driver", "metrics-server", "eks-node-monitoring-agent", "amazon-cloudwatch-observability"}
    assert {eks.describe_addon(clusterName=name, addonName=one)["addon"]["status"] for one in found} == {"ACTIVE"}
    associations = eks.list_pod_identity_associations(clusterName=name)["associations"]
    assert {one["serviceAccount"] for one in associations} == {"ebs-csi-controller-sa", "cloudwatch-agent", "cluster-autoscaler", "run"}


def administrator(account, cluster):
    assert rights(account, cluster, ADMIN) == [("AmazonEKSClusterAdminPolicy", "cluster", [])]


def user(account, cluster):
    assert rights(account, cluster, USER) == [("AmazonEKSEditPolicy", "namespace", ["research"])]


def rights(account, cluster, role):
    given = {"clusterName": cluster["outputs"]["cluster_name"], "principalArn": f"arn:aws:iam::{account.number}:role/{role}"}
    policies = account.client("eks").list_associated_access_policies(**given)["associatedAccessPolicies"]
    scopes = [(one["policyArn"].rsplit("/", 1)[-1], one["accessScope"]) for one in policies]
    return [(policy, scope["type"], scope.get("namespaces", [])) for policy, scope in scopes]


def pods_roles(account, cluster):
    """Each has one policy, within which it is, too."""
    iam = account.client("iam")
    for name in ("autoscaler", "workload"):
        role = f"groundwork-{cluster['id']}-{name}"
        policy = f"arn:aws:iam::{account.number}:policy/groundwork/groundwork-{name}"
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        assert [one["PolicyArn"] for one in attached] == [policy]
        assert iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy


def node_groups(account, cluster):
    eks, name = account.client("eks"), cluster["outputs"]["cluster_name"]
    groups = {
        group: eks.describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"]
        for group in eks.list_nodegroups(clusterName=name)["nodegroups"]
    }
    sizes = {name: tuple(group["scalingConfig"][f"{size}Size"] for size in ("min", "desired", "max")) for name, group in groups.items()}
    assert sizes["m6i-large"] == (2, 2, 5) and sizes["g4dn-xlarge"] == (0, 0, 10) and sizes["system"][0] >= 1
    assert groups["g4dn-xlarge"]["amiType"] == "BOTTLEROCKET_x86_64_NVIDIA"
    assert [taint["key"] for taint in groups["g4dn-xlarge"]["taints"]] == ["nvidia.com/gpu", "team"]
    assert groups["g4dn-xlarge"]["labels"]["k8s.amazonaws.com/accelerator"] == "nvidia"
    assert groups["g4dn-xlarge"]["tags"]["k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage"] == "80Gi"
    assert groups["m6i-large"]["labels"] == {"groundwork.dev/node-group": "m6i-large", "team": "vision"}
    assert not groups["system"].get("taints") and not groups["m6i-large"].get("taints")
    spot = groups["spot-m6i-large"]
    assert (spot["capacityType"], spot["instanceTypes"]) == ("SPOT", ["m6i.large", "m7i.large", "m6a.large"])
    assert groups["m6i-large"]["capacityType"] == "ON_DEMAND"
    private = [{"Name": "tag:kubernetes.io/role/internal-elb", "Values": ["1"]}, *filters(cluster)]
    subnets = {subnet["SubnetId"] for subnet in account.client("ec2").describe_subnets(Filters=private)["Subnets"]}
    for name, group in groups.items():
        # Of the two zones, one has no g4dn.
        placed = len(subnets) - (name == "g4dn-xlarge")
        assert set(group["subnets"]) <= subnets and len(group["subnets"]) == placed and group["labels"], name


def roles(account, cluster):
    found = account.client("iam").list_roles(PathPrefix="/groundwork/")["Roles"]
    assert {role["RoleName"].removeprefix(f"groundwork-{cluster['id']}-") for role in found} == {
        "cluster", "node", "ebs-csi", "cloudwatch-agent", "autoscaler", "workload"
    }


def buckets(account, cluster):
    s3 = account.client("s3")
    named = cluster["outputs"]["buckets"]
    assert set(named) == {"artifacts", "checkpoints", "logs"}
    for bucket in named.values():
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
        [expiry] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert expiry["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
        assert expiry["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert any(refuses_plain_http(statement) for statement in policy["Statement"])
        assert census.tags_of({"Tags": s3.get_bucket_tagging(Bucket=bucket)["TagSet"]})["groundwork:cluster"] == cluster["id"]


def refuses_plain_http(statement):
    insecure = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return statement["Effect"] == "Deny" and str(insecure).lower() == "false"


def log_group(account, cluster):
    [group] = log_groups(account, cluster)
    assert group["retentionInDays"] == 30


def log_groups(account, cluster):
    name = f"/aws/eks/{cluster['outputs']['cluster_name']}/cluster"
    return account.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]


def fill(account, bucket):
    """Versions, a delete marker and an unfinished upload make a bucket hard to delete."""
    s3 = account.client("s3")
    for text in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="weights", Body=text)
    s3.delete_object(Bucket=bucket, Key="weights")
    s3.create_multipart_upload(Bucket=bucket, Key="unfinished")


def service_linked(tenant):
    """The roles that AWS keeps for the whole account are listed as kept, if there are any."""
    found = tenant.account.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
    roles = [one for one in tenant.show("whole")["inventory"]["kept"] if one["kind"] == "service-linked role"]
    assert {one["id"] for one in roles} <= {role["RoleName"] for role in found}
    return roles


def test_data_stays_and_is_listed_with_its_size_and_a_command_that_removes_it(tenant):
    before = census.census(tenant.account)
    cluster = tenant.running("dear")
    bucket = cluster["outputs"]["buckets"]["artifacts"]
    fill(tenant.account, bucket)
    kubernetes.of_cluster(tenant.account, cluster).claim()

    left_behind = [one for one in tenant.gone("dear")["inventory"]["kept"] if one["kind"] != "service-linked role"]
    assert [(one["kind"], one["size"]) for one in left_behind] == [
        ("volume", "1 GiB"),
        ("snapshot", "of a volume of 1 GiB"),
        ("log group", "0 bytes"),
        ("bucket", "2 object versions with 6 bytes, 1 delete markers"),
    ]
    there = census.census(tenant.account)
    assert {kind for kind in there if there[kind] != before[kind]} == {"Volumes", "Snapshots", "Buckets"}
    assert there["Buckets"] == sorted([*before["Buckets"], bucket])

    told = problem(tenant.call("DELETE", "/clusters/dear?data=delete"), 409, "already_deleted")
    assert told["kept"] == left_behind and tenant.delete("dear")["status"] == "deleted"
    for one in told["kept"]:
        kept.remove(tenant.account, one)
    assert census.census(tenant.account) == before
    assert log_groups(tenant.account, cluster) == []


def test_an_unfinished_upload_alone_is_data(tenant):
    cluster = tenant.running("begun")
    bucket = cluster["outputs"]["buckets"]["logs"]
    tenant.account.client("s3").create_multipart_upload(Bucket=bucket, Key="unfinished")
    buckets = [one for one in tenant.gone("begun")["inventory"]["kept"] if one["kind"] == "bucket"]
    assert [(one["id"], one["size"]) for one in buckets] == [(bucket, "1 unfinished uploads")]


def test_retained_buckets_stay_with_their_content_and_are_listed(tenant):
    before = census.census(tenant.account)
    cluster = tenant.running("saved", deletion={"buckets": "retain"})
    named = cluster["outputs"]["buckets"]
    s3 = tenant.account.client("s3")
    s3.put_object(Bucket=named["checkpoints"], Key="epoch-1", Body=b"weights")

    inventory = tenant.gone("saved")["inventory"]
    assert {one["id"] for one in inventory["kept"] if one["kind"] == "bucket"} == set(named.values())
    assert s3.get_object(Bucket=named["checkpoints"], Key="epoch-1")["Body"].read() == b"weights"
    assert census.census(tenant.account) == before | {"Buckets": sorted([*before["Buckets"], *named.values()])}


@pytest.mark.parametrize("name", ["a", "0", "x" * 63, "a-" + "b" * 60 + "1"])
def test_a_cluster_with_any_allowed_name_is_created_and_deleted(tenant, name):
    before = census.census(tenant.account)
    assert tenant.running(name)["outputs"]["cluster_name"].startswith(f"groundwork-{name}-")
    tenant.gone(name)
    assert census.census(tenant.account) == before
