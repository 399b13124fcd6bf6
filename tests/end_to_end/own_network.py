"""A network that a customer made: a VPC with two private subnets behind a NAT gateway, and something of the customer's in it."""

import aws_clients
import settings
from waiting import until

# What of a network is photographed: the call, and the list in its answer.
KINDS = {
    "describe_vpcs": "Vpcs",
    "describe_subnets": "Subnets",
    "describe_route_tables": "RouteTables",
    "describe_internet_gateways": "InternetGateways",
    "describe_nat_gateways": "NatGateways",
    "describe_network_acls": "NetworkAcls",
    "describe_vpc_endpoints": "VpcEndpoints",
    "describe_security_groups": "SecurityGroups",
    "describe_network_interfaces": "NetworkInterfaces",
    "describe_instances": "Reservations",
}


class Network:
    def __init__(self, account):
        self.account, self.ec2 = account, account.client("ec2")
        # The local cloud lets nodes out only through what it saw being made.
        self.seen = aws_clients.client("ec2", (account.number, "test"), settings.PROXY_URL)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.subnets = [self.subnet(zone, f"10.20.{16 * number}.0/20") for number, zone in enumerate("ab")]
        self.lead_out(self.subnet("a", "10.20.240.0/24"))
        group = self.ec2.create_security_group(GroupName="theirs", Description="the customer's", VpcId=self.vpc)["GroupId"]
        self.ec2.create_network_interface(SubnetId=self.subnets[0], Groups=[group], Description="theirs")

    @property
    def arn(self):
        """What the quick-start's NetworkVpcs wants."""
        return f"arn:aws:ec2:{settings.REGION}:{self.account.number}:vpc/{self.vpc}"

    def subnet(self, zone, block):
        made = self.seen.create_subnet(VpcId=self.vpc, CidrBlock=block, AvailabilityZone=settings.REGION + zone)
        return made["Subnet"]["SubnetId"]

    def lead_out(self, public):
        """The public subnet by an internet gateway, the private ones by a NAT gateway in it."""
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = self.seen.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
        until(lambda: self.things("describe_nat_gateways", "NatGateways")[0]["State"] == "available", "the NAT gateway is there")
        for subnets, target in (([public], {"GatewayId": gateway}), (self.subnets, {"NatGatewayId": nat})):
            table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
            self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
            for subnet in subnets:
                self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)

    def photograph(self):
        """Everything that is in the account's networks, with its tags: by kind, each thing by its first id."""
        return {kind: self.things(call, kind) for call, kind in KINDS.items()}

    def things(self, call, kind):
        found = getattr(self.ec2, call)()[kind]
        return sorted((settled(one) for one in found), key=str)


def settled(thing):
    """Without what changes by itself."""
    return {key: value for key, value in thing.items() if key != "AvailableIpAddressCount"}
