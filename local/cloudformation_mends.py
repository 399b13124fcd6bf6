"""CloudFormation of the local AWS, mended: what it cannot delete, and what ministack's does not know.

* IAM keeps a managed policy as long as it is a role's boundary: https://github.com/gruntwork-io/cloud-nuke/issues/972
* A resource that could not be deleted keeps what it depends on. ministack deletes that all the same.
* ministack makes addresses and NAT gateways only by EC2's own calls.
"""

from ministack.services import cloudformation, ec2, iam
from ministack.services.cloudformation import provisioners, stacks


def mend():
    policies = provisioners._RESOURCE_HANDLERS["AWS::IAM::ManagedPolicy"]
    policies["delete"] = keeping_boundaries(policies["delete"])
    provisioners._RESOURCE_HANDLERS["AWS::EC2::EIP"] = {"create": make_address, "delete": release_address}
    provisioners._RESOURCE_HANDLERS["AWS::EC2::NatGateway"] = {"create": make_nat_gateway, "delete": delete_nat_gateway}
    stacks._delete_resource = keeping_needs(stacks._delete_resource)


def keeping_boundaries(delete):
    def delete_policy(arn, properties):
        if iam._boundary_usage_counts().get(arn):
            raise ValueError("Cannot delete a policy attached to entities. (Service: Iam, Status Code: 409)")
        delete(arn, properties)

    return delete_policy


def keeping_needs(delete):
    def delete_resource(kind, physical_id, properties, stack_name=None, logical_id=None):
        failed = what_needs(logical_id, cloudformation._stacks[stack_name])
        if failed:
            raise ValueError(f"{', '.join(failed)} could not be deleted and depends on {logical_id}")
        delete(kind, physical_id, properties, stack_name, logical_id)

    return delete_resource


def what_needs(logical_id, stack):
    """What could not be deleted and depends on it."""
    # A stack whose creation failed has no template.
    resources, declared = stack["_resources"], stack["_template"].get("Resources", {})
    failed = (name for name, one in resources.items() if one.get("ResourceStatus") == "DELETE_FAILED" and name != logical_id)
    return [name for name in failed if logical_id in stacks._with_dependencies([name], declared, set(resources))]


def make_address(*_):
    before = set(ec2._addresses)
    ec2._allocate_address({})
    [allocation] = set(ec2._addresses) - before
    address = ec2._addresses[allocation]["PublicIp"]
    return address, {"AllocationId": allocation, "PublicIp": address}


def release_address(address, _):
    for allocation in [key for key, one in ec2._addresses.items() if one["PublicIp"] == address]:
        del ec2._addresses[allocation]


def make_nat_gateway(_, properties, __):
    before = set(ec2._nat_gateways)
    ec2._create_nat_gateway({"SubnetId": properties["SubnetId"], "AllocationId": properties["AllocationId"]})
    [gateway] = set(ec2._nat_gateways) - before
    return gateway, {"NatGatewayId": gateway}


def delete_nat_gateway(gateway, _):
    ec2._delete_nat_gateway({"NatGatewayId": gateway})
