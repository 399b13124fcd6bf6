"""EKS of the local AWS, mended.

* A managed node group is an Auto Scaling group, with the tags by which the Cluster Autoscaler finds it, and goes with it. Its desired size
  is that group's, whoever changes it.
  https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
* A node group says which launch template it has.
  https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
* UpdateClusterConfig changes who reaches the endpoint; DescribeUpdate tells of it. ministack has neither.
  https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html
"""

import json
import re

from ministack.core.responses import new_uuid
from ministack.services import autoscaling, ec2, eks

CONFIG = re.compile(r"/clusters/([^/]+)/update-config")
UPDATES = re.compile(r"/clusters/([^/]+)/updates/([^/]+)")
REACH = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")


def mend():
    eks._create_nodegroup = with_its_auto_scaling_group(eks._create_nodegroup)
    eks._describe_nodegroup = as_large_as_its_auto_scaling_group(eks._describe_nodegroup)
    eks._delete_nodegroup = without_its_auto_scaling_group(eks._delete_nodegroup)
    eks._delete_cluster = without_its_node_groups(eks._delete_cluster)
    eks._handle_request_sync = with_updates(eks._handle_request_sync)


def with_its_auto_scaling_group(create):
    def create_nodegroup(cluster, body):
        answer = create(cluster, body)
        if answer[0] == 200:
            group = eks._nodegroups[f"{cluster}/{body['nodegroupName']}"]
            autoscaling._create_asg(parameters_of(group))
            if body.get("launchTemplate"):
                group["launchTemplate"] = body["launchTemplate"]
            return eks._json_resp(200, {"nodegroup": group})
        return answer

    return create_nodegroup


def parameters_of(group):
    """What EKS asks of Auto Scaling for a node group."""
    cluster, sizes = group["clusterName"], group["scalingConfig"]
    tags = {
        "eks:cluster-name": cluster,
        "eks:nodegroup-name": group["nodegroupName"],
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{cluster}": "owned",
        f"kubernetes.io/cluster/{cluster}": "owned",
    }
    parameters = {
        "AutoScalingGroupName": scaled_by(group),
        "MinSize": str(sizes.get("minSize", 1)),
        "MaxSize": str(sizes.get("maxSize", 2)),
        "DesiredCapacity": str(sizes.get("desiredSize", 1)),
        "VPCZoneIdentifier": ",".join(group["subnets"]),
    }
    for number, zone in enumerate(zones_of(group["subnets"]), 1):
        parameters[f"AvailabilityZones.member.{number}"] = zone
    for number, (key, value) in enumerate(tags.items(), 1):
        parameters |= {
            f"Tags.member.{number}.Key": key,
            f"Tags.member.{number}.Value": value,
            f"Tags.member.{number}.PropagateAtLaunch": "true",
        }
    return parameters


def scaled_by(group):
    return group["resources"]["autoScalingGroups"][0]["name"]


def zones_of(subnets):
    return sorted({ec2._subnets[subnet]["AvailabilityZone"] for subnet in subnets if subnet in ec2._subnets})


def as_large_as_its_auto_scaling_group(describe):
    def describe_nodegroup(cluster, name):
        group = eks._nodegroups.get(f"{cluster}/{name}")
        scaled = autoscaling._asgs.get(scaled_by(group)) if group else None
        if scaled:
            group["scalingConfig"]["desiredSize"] = scaled["DesiredCapacity"]
        return describe(cluster, name)

    return describe_nodegroup


def without_its_auto_scaling_group(delete):
    def delete_nodegroup(cluster, name):
        group = eks._nodegroups.get(f"{cluster}/{name}")
        if group:
            autoscaling._delete_asg({"AutoScalingGroupName": scaled_by(group)})
        return delete(cluster, name)

    return delete_nodegroup


def without_its_node_groups(delete):
    def delete_cluster(name):
        for group in [group for group in eks._nodegroups.values() if group["clusterName"] == name]:
            eks._delete_nodegroup(name, group["nodegroupName"])
        return delete(name)

    return delete_cluster


def with_updates(handle):
    def handle_request(method, path, headers, body, query):
        if method == "POST" and (asked := CONFIG.fullmatch(path)):
            return update_config(asked[1], json.loads(body))
        if method == "GET" and (asked := UPDATES.fullmatch(path)):
            return describe_update(*asked.groups())
        return handle(method, path, headers, body, query)

    return handle_request


def update_config(name, body):
    cluster = eks._clusters.get(name)
    if not cluster:
        return eks._error(404, "ResourceNotFoundException", f"No cluster found for name: {name}.")
    wanted = {key: value for key, value in body.get("resourcesVpcConfig", {}).items() if key in REACH}
    if not wanted:
        return eks._error(400, "InvalidParameterException", "No changes needed for the cluster's configuration")
    if wanted.items() <= cluster["resourcesVpcConfig"].items():
        return eks._error(400, "InvalidParameterException", "Cluster is already at the desired configuration")
    cluster["resourcesVpcConfig"] |= wanted
    params = [{"type": key[0].upper() + key[1:], "value": json.dumps(value)} for key, value in wanted.items()]
    update = {"id": new_uuid(), "status": "InProgress", "type": "EndpointAccessUpdate", "params": params, "errors": []}
    update["createdAt"] = eks._now()
    cluster.setdefault("_updates", {})[update["id"]] = update
    return eks._json_resp(200, {"update": update})


def describe_update(name, update):
    known = (eks._clusters.get(name) or {}).get("_updates", {})
    if update not in known:
        return eks._error(404, "ResourceNotFoundException", f"No update found for ID: {update}")
    return eks._json_resp(200, {"update": known[update] | {"status": "Successful"}})
