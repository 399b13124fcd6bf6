"""Everything in an account, as each service's own API lists it."""

from collections import Counter

EC2 = [
    ("describe_vpcs", "Vpcs", "VpcId"),
    ("describe_subnets", "Subnets", "SubnetId"),
    ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"),
    ("describe_route_tables", "RouteTables", "RouteTableId"),
    ("describe_network_acls", "NetworkAcls", "NetworkAclId"),
    ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("describe_addresses", "Addresses", "AllocationId"),
    ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("describe_flow_logs", "FlowLogs", "FlowLogId"),
    ("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("describe_security_groups", "SecurityGroups", "GroupId"),
    ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("describe_volumes", "Volumes", "VolumeId"),
    ("describe_snapshots", "Snapshots", "SnapshotId"),
    ("describe_key_pairs", "KeyPairs", "KeyPairId"),
]
OTHERS = [
    ("iam", "list_policies", {"Scope": "Local"}, "Policies", "Arn"),
    ("iam", "list_instance_profiles", {}, "InstanceProfiles", "Arn"),
    ("iam", "list_users", {}, "Users", "Arn"),
    ("iam", "list_open_id_connect_providers", {}, "OpenIDConnectProviderList", "Arn"),
    ("s3", "list_buckets", {}, "Buckets", "Name"),
    ("logs", "describe_log_groups", {}, "logGroups", "logGroupName"),
    ("elbv2", "describe_load_balancers", {}, "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", {}, "TargetGroups", "TargetGroupArn"),
    ("autoscaling", "describe_auto_scaling_groups", {}, "AutoScalingGroups", "AutoScalingGroupName"),
]


def census(account):
    """Kind of thing → the ids of all things of that kind."""
    found = {listing: ids(account, "ec2", call, mine(call), listing, key) for call, listing, key in EC2}
    found |= {listing: ids(account, service, call, given, listing, key) for service, call, given, listing, key in OTHERS}
    return found | {
        "Instances": instances(account),
        "Roles": roles(account),
        "Clusters": sorted(account.client("eks").list_clusters()["clusters"]),
    }


def ids(account, service, call, given, listing, key):
    answer = getattr(account.client(service), call)(**given)
    return sorted(thing[key] for thing in answer[listing] if not lingers(thing))


def mine(call):
    """Without owners, snapshots that other accounts share would be listed too."""
    return {"OwnerIds": ["self"]} if call == "describe_snapshots" else {}


def lingers(thing):
    """EC2 goes on listing some things for a while after they are deleted; a cluster's kept log stays until it expires."""
    logs = ("/aws/eks/groundwork-", "/aws/containerinsights/groundwork-")
    expires = thing.get("logGroupName", "").startswith(logs) and thing.get("retentionInDays")
    return expires or thing.get("State") in ("deleted", "deleting")


def instances(account):
    reservations = account.client("ec2").describe_instances()["Reservations"]
    there = (one for reservation in reservations for one in reservation["Instances"])
    return sorted(one["InstanceId"] for one in there if one["State"]["Name"] != "terminated")


def roles(account):
    """All but the service-linked ones, which AWS makes and keeps for the whole account."""
    found = account.client("iam").list_roles()["Roles"]
    return sorted(role["Arn"] for role in found if not role["Path"].startswith("/aws-service-role/"))


def owned(account, cluster_id):
    """How many there are of each resource of a cluster, by the owner tags on EC2 and by name elsewhere."""
    ec2 = account.client("ec2")
    tagged = [thing for call, listing, _ in EC2 if (answer := getattr(ec2, call)(**mine(call))) for thing in answer[listing]]
    prefix = f"groundwork-{cluster_id}-"
    keys = Counter(resource_of(thing, cluster_id) for thing in tagged if not lingers(thing))
    keys += Counter(f"role/{arn.split(prefix)[1]}" for arn in roles(account) if prefix in arn)
    buckets = account.client("s3").list_buckets()["Buckets"]
    keys += Counter(f"bucket/{one['Name'].removeprefix(prefix)}" for one in buckets if one["Name"].startswith(prefix))
    keys += Counter("cluster" for name in account.client("eks").list_clusters()["clusters"] if name.endswith(cluster_id))
    return {key: count for key, count in keys.items() if key}


def resource_of(thing, cluster_id):
    tags = tags_of(thing)
    return tags.get("groundwork:resource") if tags.get("groundwork:cluster") == cluster_id else None


def tags_of(thing):
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags") or thing.get("TagSet") or []}
