"""What Kubernetes makes in a cluster's network and does not delete, and the data that claims leave."""

import census
import settings


DRIVER = {"ebs.csi.aws.com/cluster": "true"}


class Leftovers:
    """A load balancer with its group and target group, an interface and a node's disk, tagged for an EKS cluster.

    The tags are those that EKS, Kubernetes and its controllers set. A cluster's add-ons and launch templates add an owner tag, `owner`."""

    def __init__(self, account, vpc_id, subnet_ids, eks_name, owner=None):
        self.account, self.vpc_id, self.subnet_ids = account, vpc_id, subnet_ids
        self.ec2 = account.client("ec2")
        self.eks_name, self.owner = eks_name, owner

    def make(self):
        balancers = self.security_group("balancers", self.controller())
        self.let_in(self.security_group("nodes", {"aws:eks:cluster-name": self.eks_name}), balancers)
        self.load_balancer(balancers)
        self.interface()
        self.volume(self.owners())

    def security_group(self, name, more):
        made = self.ec2.create_security_group(
            GroupName=f"k8s-{name}", Description="made by Kubernetes", VpcId=self.vpc_id, **self.tagged("security-group", more)
        )
        return made["GroupId"]

    def let_in(self, group, other):
        """The rules of the two groups name each other, so neither can be deleted first."""
        for one, source in ((group, other), (other, group)):
            rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": source}]}
            self.ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[rule])

    def load_balancer(self, group):
        elb = self.account.client("elbv2")
        # AWS gets the VPC from the subnets; the local AWS has to be told.
        elb.meta.events.register("before-call.elastic-load-balancing-v2.CreateLoadBalancer", self.name_network)
        name = f"k8s-{self.vpc_id[-8:]}"
        tags = {"Tags": self.tags(self.controller())} if self.eks_name else {}
        elb.create_load_balancer(Name=name, Subnets=self.subnet_ids, SecurityGroups=[group], **tags)
        elb.create_target_group(Name=name, Protocol="TCP", Port=80, VpcId=self.vpc_id, **tags)

    def name_network(self, params, **_):
        params["body"]["VpcId"] = self.vpc_id

    def interface(self):
        made = self.ec2.create_network_interface(SubnetId=self.subnet_ids[0])["NetworkInterface"]
        # The local AWS makes interfaces without tags.
        if self.eks_name:
            self.ec2.create_tags(Resources=[made["NetworkInterfaceId"]], Tags=self.tags(self.owners()))

    def claim(self):
        """A claim's volume and a snapshot of it, with the tags of the EBS CSI driver (its docs/tagging.md)."""
        volume = self.volume(self.owners() | DRIVER | {"CSIVolumeName": "pvc-1"})
        tags = self.owners() | DRIVER | {"CSIVolumeSnapshotName": "snapcontent-1"}
        self.ec2.create_snapshot(VolumeId=volume, **self.tagged("snapshot", tags))

    def volume(self, tags):
        made = self.ec2.create_volume(AvailabilityZone=f"{settings.REGION}a", Size=1, **self.tagged("volume", tags))
        return made["VolumeId"]

    def controller(self):
        return {"elbv2.k8s.aws/cluster": self.eks_name}

    def owners(self):
        return {"groundwork:cluster": self.owner} if self.owner else {}

    def tags(self, more):
        tags = {f"kubernetes.io/cluster/{self.eks_name}": "owned"} | more
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def tagged(self, kind, more):
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": self.tags(more)}]} if self.eks_name else {}


def of_cluster(account, cluster):
    ec2 = account.client("ec2")
    subnets = ec2.describe_subnets(Filters=[{"Name": "tag:groundwork:cluster", "Values": [cluster["id"]]}])["Subnets"]
    private = [one for one in subnets if "kubernetes.io/role/internal-elb" in census.tags_of(one)]
    ids = [subnet["SubnetId"] for subnet in private]
    return Leftovers(account, private[0]["VpcId"], ids, cluster["outputs"]["cluster_name"], cluster["id"])


def of_neighbour(account, eks_name, tagged=True):
    """A network that belongs to somebody else, with things that look like a cluster's: by their tags, or only by what they are."""
    ec2 = account.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    if tagged:
        ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "groundwork-neighbour-vpc"}])
    zones = [(f"{settings.REGION}{letter}", f"10.0.{index}.0/24") for index, letter in enumerate("ab")]
    made = [ec2.create_subnet(VpcId=vpc_id, AvailabilityZone=zone, CidrBlock=block)["Subnet"] for zone, block in zones]
    return Leftovers(account, vpc_id, [subnet["SubnetId"] for subnet in made], eks_name if tagged else None)
