"""Self-managed mode: in a cluster that the customer made, Groundwork adds node groups, and takes away only those."""

import json
import string

import boto3
import pytest

import accounts
import census
import settings
import tenants
from unknown_conditions import stripped

EXAMPLE = settings.REPOSITORY / "examples/self-managed"
NODES = "nodes"


class Customer:
    """Makes what examples/self-managed/main.tf makes: cluster, buckets, node role, and the role for Groundwork."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.account = tenant.account = accounts.new()
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
        self.account.client("eks").create_cluster(name=name, roleArn=role, resourcesVpcConfig=network, tags={"team": "theirs"})

    def make_bucket(self, name):
        location = {"LocationConstraint": settings.REGION}
        self.account.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location)
        self.close(name)

    def make_bucket_elsewhere(self, name):
        """S3 has one region in which nothing is said of the location."""
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
        """Gives Groundwork's role the example's policy, but for the conditions that the local AWS does not know."""
        policy = filled(
            "policy.json",
            account=self.account.number,
            region=settings.REGION,
            role="groundwork",
            cluster=cluster,
            node_role=self.node_role,
            buckets='", "'.join(f"arn:aws:s3:::{bucket}" for bucket in buckets),
        )
        given = {"RoleName": "groundwork", "PolicyName": "groundwork", "PolicyDocument": json.dumps(stripped(policy))}
        self.account.client("iam").put_role_policy(**given)

    def add_node_group(self, name):
        nodes = {"clusterName": self.cluster, "nodegroupName": name, "subnets": self.subnets, "nodeRole": self.node_role}
        self.account.client("eks").create_nodegroup(**nodes)

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


def service_trust(service):
    allow = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [allow]}


@pytest.fixture
def customer(service):
    return Customer(tenants.new(service))


def test_node_groups_come_and_go_and_all_that_the_customer_made_stays_as_it_was(customer):
    tenant = customer.tenant
    customer.add_node_group("their-own")
    customer.account.client("s3").put_object(Bucket=customer.buckets[0], Key="weights", Body=b"kept")
    before = customer.everything()

    wanted = [{"name": "m6i.large", "max_count": 5}, {"name": "g4dn.xlarge"}]
    cluster = tenant.running("joined", **customer.request(instance_types=wanted))
    assert cluster["endpoint_access"] == {"mode": "customer", "cidrs": None}
    assert cluster["outputs"]["cluster_name"] == customer.cluster
    assert cluster["outputs"]["endpoint"] == before[1]["endpoint"]
    assert {resource["state"] for resource in cluster["resources"]} == {"ready"}
    groups = customer.node_groups()
    assert groups.pop("their-own") == before[2]["their-own"]
    assert groups.keys() == {f"groundwork-{cluster['id']}-{name}" for name in ("m6i-large", "g4dn-xlarge")}
    for group in groups.values():
        assert (group["nodeRole"], group["subnets"]) == (customer.node_role, customer.subnets)
        assert group["tags"]["groundwork:cluster"] == cluster["id"] and "launchTemplate" not in group
        assert bool(group["taints"]) == (group["instanceTypes"] == ["g4dn.xlarge"])
    assert customer.everything()[:2] == before[:2]

    kept = tenant.gone("joined")["inventory"]["kept"]
    assert [(one["kind"], one["id"]) for one in kept] == [("cluster", customer.cluster), *(("bucket", name) for name in customer.buckets)]
    assert customer.everything() == before
    assert customer.account.client("s3").get_object(Bucket=customer.buckets[0], Key="weights")["Body"].read() == b"kept"


def test_without_instance_types_cluster_and_buckets_are_only_verified(customer):
    before = customer.everything()
    body = customer.request(instance_types=[])
    del body["node_role_arn"]
    assert customer.tenant.running("verified", **body)["outputs"]["node_groups"] == {}
    customer.tenant.gone("verified")
    assert customer.everything() == before


def test_a_name_that_the_role_does_not_know_parks_with_a_hint_and_nothing_was_touched(customer):
    before = customer.everything()
    for name, wrong in [("astray", {"eks_cluster_name": "nobody-s"}), ("adrift", {"buckets": ["nobody-s"]})]:
        customer.tenant.create(name, **customer.request(**wrong))
        parked = customer.tenant.wait(name, "failed")
        assert "nobody-s" in parked["reason"] and next(iter(wrong)) in parked["hint"], parked
        assert customer.tenant.gone(name)["inventory"]["left"] == []
    assert customer.everything() == before


def test_a_cluster_that_is_not_there_parks_until_the_customer_made_it(customer):
    late = f"{customer.cluster}-late"
    customer.allow(late, customer.buckets)
    customer.tenant.create("early", **customer.request(eks_cluster_name=late))
    assert customer.tenant.wait("early", "failed")["code"] == "NoEksCluster"
    customer.make_cluster(late)
    customer.tenant.retry("early")
    customer.tenant.wait("early", "running")


@pytest.mark.parametrize("mistake, code", [("open", "BucketNotClosed"), ("absent", "NoBucket"), ("elsewhere", "BucketElsewhere")])
def test_a_bucket_that_will_not_do_parks_until_it_is_put_right(customer, mistake, code):
    bucket = f"{customer.cluster}-{mistake}"
    if mistake == "elsewhere":
        customer.make_bucket_elsewhere(bucket)
    if mistake == "open":
        customer.make_bucket(bucket)
        customer.close(bucket, closed=False)
    customer.allow(customer.cluster, [bucket])
    customer.tenant.create("leaky", **customer.request(buckets=[bucket]))
    parked = customer.tenant.wait("leaky", "failed")
    assert (parked["code"], bucket in parked["reason"]) == (code, True), parked
    put_right(customer, bucket, mistake)
    customer.tenant.retry("leaky")
    customer.tenant.wait("leaky", "running")


def put_right(customer, bucket, mistake):
    if mistake == "elsewhere":
        customer.account.client("s3").delete_bucket(Bucket=bucket)
    if mistake == "open":
        customer.close(bucket)
    else:
        customer.make_bucket(bucket)


def test_node_groups_go_into_the_subnets_that_were_asked_for(customer):
    cluster = customer.tenant.running("placed", **customer.request(subnet_ids=customer.subnets[:1]))
    assert customer.node_groups()[f"groundwork-{cluster['id']}-m6i-large"]["subnets"] == customer.subnets[:1]


def test_nodes_that_cannot_join_over_the_customer_s_network_park_with_a_hint_and_go_when_the_cluster_goes(customer):
    before = customer.everything()
    customer.tenant.create("lonely", **customer.request(instance_types=[{"name": "m6i.large", "overprovisioned_ondemand_count": 1}]))
    parked = customer.tenant.wait("lonely", "failed")
    assert parked["code"] == "NodeCreationFailure" and "ECR" in parked["hint"], parked
    customer.tenant.gone("lonely")
    assert customer.everything() == before


def test_a_node_group_with_our_name_and_without_our_tag_is_left_and_blocks_the_deletion(customer):
    tenant = customer.tenant
    cluster = tenant.running("claimed", **customer.request())
    name = f"groundwork-{cluster['id']}-stray"
    customer.add_node_group(name)
    tenant.delete("claimed")
    left = tenant.wait("claimed", "delete_blocked")["inventory"]["left"]
    assert [(one["kind"], one["id"]) for one in left] == [("node group", name)]
    assert customer.node_groups().keys() == {name}
