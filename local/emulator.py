"""The local AWS: ministack, with its gaps mended, so that the product does not have to know of them.

* AWS refuses to associate a subnet with a route table twice, and refuses subnets that overlap. ministack
  allows both when an SDK repeats a call whose answer was lost.
* AWS takes the tags of a flow log as those of a vpc-flow-log; ministack looks for a flow-log's.
* DescribeNatGateways shows the address of each.
* The other gaps are mended in the files named after the service, and the functions' clock is minded in clock_mends.py.
"""

from ipaddress import ip_network

import autoscaling_mends
import clock
import clock_mends
import cloudformation_mends
import cognito_mends
import eks_inside
import eks_mends
import iam_mends
import lambda_mends
import s3_mends
import scheduler_mends
import settings
from ministack import app
from ministack.services import ec2


def once_for_each_subnet(associate):
    """EC2's AssociateRouteTable, which refuses a subnet that already has a route table."""

    def associate_route_table(parameters):
        subnet = ec2._p(parameters, "SubnetId")
        tables = ec2._route_tables.values()
        if any(association.get("SubnetId") == subnet for table in tables for association in table["Associations"]):
            message = f"The subnet {subnet} conflicts with an existing association"
            return ec2._error("Resource.AlreadyAssociated", message, 400)
        return associate(parameters)

    return associate_route_table


def refusing_overlaps(create):
    """EC2's CreateSubnet, which refuses a subnet that overlaps another one of its VPC."""

    def create_subnet(parameters):
        block = ip_network(ec2._p(parameters, "CidrBlock"))
        inside = (subnet for subnet in ec2._subnets.values() if subnet["VpcId"] == ec2._p(parameters, "VpcId"))
        if any(ip_network(subnet["CidrBlock"]).overlaps(block) for subnet in inside):
            return ec2._error("InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet", 400)
        return create(parameters)

    return create_subnet


def with_addresses(describe):
    """EC2's DescribeNatGateways, with the Elastic IP that each gateway has."""

    def describe_nat_gateways(parameters):
        status, headers, body = describe(parameters)
        first, *gateways = body.decode().split("<natGatewayId>")
        return status, headers, "<natGatewayId>".join([first, *map(with_address, gateways)]).encode()

    return describe_nat_gateways


def with_address(text):
    allocation = ec2._nat_gateways[text.split("<")[0]]["AllocationId"]
    address = ec2._addresses.get(allocation)
    if not address:
        return text
    shown = f"<allocationId>{allocation}</allocationId><publicIp>{address['PublicIp']}</publicIp><isPrimary>true</isPrimary>"
    return text.replace("<natGatewayAddressSet/>", f"<natGatewayAddressSet><item>{shown}</item></natGatewayAddressSet>")


def with_the_right_kind(parse):
    """What reads a create call's tags, for a flow log by EC2's name of it."""

    def parse_tag_specs(parameters, kind, thing):
        parse(parameters, "vpc-flow-log" if kind == "flow-log" else kind, thing)

    return parse_tag_specs


autoscaling_mends.mend()
clock_mends.mend(str(clock.LIBRARY))
cloudformation_mends.mend()
cognito_mends.mend()
eks_mends.mend()
eks_inside.mend()
iam_mends.mend()
lambda_mends.mend(settings.NAT_URL)
s3_mends.mend()
scheduler_mends.mend()
ec2._ACTION_MAP["AssociateRouteTable"] = once_for_each_subnet(ec2._ACTION_MAP["AssociateRouteTable"])
ec2._ACTION_MAP["CreateSubnet"] = refusing_overlaps(ec2._ACTION_MAP["CreateSubnet"])
ec2._ACTION_MAP["DescribeNatGateways"] = with_addresses(ec2._ACTION_MAP["DescribeNatGateways"])
ec2._parse_tag_specs = with_the_right_kind(ec2._parse_tag_specs)

if __name__ == "__main__":
    app.main()
