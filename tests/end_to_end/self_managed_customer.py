"""A customer of self-managed mode: what it makes itself, and what it lets Groundwork do."""

import json
import re
import string

import boto3

import aws_clients
import census
import cloud
import settings
from account import new_account

EXAMPLE = settings.REPOSITORY / "examples/self-managed"
NODES = "nodes"


class Customer:
    """Makes what examples/self-managed/main.tf makes: cluster, buckets, node role, and the role for Groundwork; and what pods.tf makes, later."""

    def __init__(self, tenant, **more):
        """In an account that has this, besides what a company's has."""
        self.tenant = tenant
        self.account = tenant.account = new_account()
        cloud.set_account(self.account.number, cloud.COMPANY | more)
        # What is to have a control plane is made through the proxy.
        self.eks = aws_clients.client("eks", (self.account.number, "test"), settings.PROXY_URL if more else settings.EMULATOR_URL)
        self.cluster = f"theirs-{self.account.number}"
        self.buckets = [f"{self.cluster}-{purpose}" for purpose in ("data", "logs")]
        self.subnets = self.make_subnets()
        self.make_cluster(self.cluster)
        for bucket in self.buckets:
            self.make_bucket(bucket)
        self.node_role = self.make_role(NODES, service_trust("ec2"))
        tenant.role_arn = self.make_role("groundwork", filled("trust.json", **self.trust()))
        self.allow(self.cluster, self.buckets)

    def make_subnets(self):
        ec2 = self.account.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        places = enumerate("ab")
        made = (ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=settings.REGION + zone) for n, zone in places)
        return [subnet["Subnet"]["SubnetId"] for subnet in made]

    def make_cluster(self, name):
        role = self.make_role(f"{name}-cluster", service_trust("eks"))
        network = {"subnetIds": self.subnets}
        self.eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig=network, tags={"team": "theirs"})

    def make_bucket(self, name):
        location = {"LocationConstraint": settings.REGION}
        self.account.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location)
        self.close(name)

    def make_bucket_elsewhere(self, name):
        """In us-east-1, S3 takes no location."""
        keys = {"aws_access_key_id": self.account.number, "aws_secret_access_key": "test"}
        boto3.client("s3", endpoint_url=settings.EMULATOR_URL, region_name="us-east-1", **keys).create_bucket(Bucket=name)

    def close(self, bucket, closed=True):
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        settings_of_block = dict.fromkeys(names, closed)
        self.account.client("s3").put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=settings_of_block)

    def make_role(self, name, trust):
        made = self.account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        return made["Role"]["Arn"]

    def trust(self):
        wanted = self.tenant.onboarding()
        return {
            "operator_account": wanted["principal"]["account_id"],
            "principal_pattern": wanted["principal"]["pattern"],
            "external_id": wanted["external_id"],
        }

    def allow(self, cluster, buckets):
        """Gives Groundwork's role the example's policy."""
        policy = filled(
            "policy.json",
            account=self.account.number,
            region=settings.REGION,
            role="groundwork",
            cluster=cluster,
            node_role=self.node_role,
            buckets='", "'.join(f"arn:aws:s3:::{bucket}" for bucket in buckets),
        )
        given = {"RoleName": "groundwork", "PolicyName": "groundwork", "PolicyDocument": json.dumps(policy)}
        self.account.client("iam").put_role_policy(**given)

    def add_node_group(self, name, **more):
        nodes = {"clusterName": self.cluster, "nodegroupName": name, "subnets": self.subnets, "nodeRole": self.node_role}
        self.account.client("eks").create_nodegroup(**nodes | more)

    def give_pods_their_roles(self):
        """As pods.tf does: which service accounts have one is read there."""
        iam, arns = self.account.client("iam"), [f"arn:aws:s3:::{bucket}" for bucket in self.buckets]
        names = {"account": self.account.number, "region": settings.REGION, "cluster": self.cluster}
        listed = {"buckets": '", "'.join(arns), "objects": '", "'.join(f"{arn}/*" for arn in arns)}
        for role, namespace, account in re.findall(r'(\S+) += \{ namespace = "(.+)", name = "(.+)" \}', (EXAMPLE / "pods.tf").read_text()):
            arn = self.make_role(f"{self.cluster}-{role}", service_trust("pods.eks", "sts:AssumeRole", "sts:TagSession"))
            if (EXAMPLE / f"{role}.json").exists():
                policy = json.dumps(filled(f"{role}.json", **names, **listed))
                iam.put_role_policy(RoleName=f"{self.cluster}-{role}", PolicyName=role, PolicyDocument=policy)
            self.eks.create_pod_identity_association(
                clusterName=self.cluster, namespace=namespace, serviceAccount=account, roleArn=arn
            )
        for addon in ("eks-pod-identity-agent", "aws-ebs-csi-driver"):
            self.eks.create_addon(clusterName=self.cluster, addonName=addon)

    def node_groups(self):
        eks = self.account.client("eks")
        names = eks.list_nodegroups(clusterName=self.cluster)["nodegroups"]
        return {name: eks.describe_nodegroup(clusterName=self.cluster, nodegroupName=name)["nodegroup"] for name in names}

    def everything(self):
        cluster = self.account.client("eks").describe_cluster(name=self.cluster)["cluster"]
        return census.census(self.account), cluster, self.node_groups()

    def request(self, **more):
        theirs = {"eks_cluster_name": self.cluster, "buckets": self.buckets, "node_role_arn": self.node_role}
        return {"mode": "self_managed"} | theirs | more


def filled(file, **values):
    """As Terraform's templatefile does."""
    return json.loads(string.Template((EXAMPLE / file).read_text()).substitute(partition="aws", **values))


def service_trust(service, *actions):
    allow = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": actions or "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [allow]}
