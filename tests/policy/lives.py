"""The lives of clusters, each in an account of its own, in which Groundwork makes every call that it ever makes."""

from concurrent.futures import ThreadPoolExecutor

import aws_clients
import census
import cloud
import dynamodb_table
import keys
import kubernetes
import settings
import tenants
from account import new_account
from own_network import Network
from waiting import until

# More than there are faults, because each fault costs one retry.
RETRIES = 10


def lived(service, customer):
    """The tenants of all lives, once the lives are over, and by account the customers' own VPCs. All faults are set at once, each for one
    cluster id."""
    network = Network(new_account())
    all_tenants = [tenants.with_role(service, tenants.new(service), new_account()) for _ in LIVES[:-2]]
    all_tenants.append(tenants.with_role(service, tenants.new(service), network.account, NetworkVpcs=network.arn))
    cloud.set_account(all_tenants[LIVES.index(full)].account.number, {"guard_duty": True, "kubernetes": True})
    # Its organization would refuse the first of the calls that are to fail.
    furnished = {"private_endpoints_only": False, "kubernetes": True}
    cloud.set_account(all_tenants[LIVES.index(broken)].account.number, cloud.COMPANY | furnished)
    cloud.set_account(network.account.number, cloud.COMPANY | {"blocks_internet": True, "exempted": [network.vpc]})
    clusters = [tenant.create(life.__name__, **asked_for(life, tenant)) for life, tenant in zip(LIVES[:-2], all_tenants)]
    clusters.append(all_tenants[-1].create(housed.__name__, network={"subnet_ids": network.subnets}))
    all_tenants.append(customer.tenant)
    clusters.append(customer.tenant.create(joined.__name__, **customer.request(**ASKED[joined])))
    cloud.set_faults([fault for life, cluster in zip(LIVES, clusters) for fault in FAULTS.get(life, lambda _: [])(cluster["id"])])
    with ThreadPoolExecutor() as pool:
        for life in [pool.submit(life, tenant, cluster) for life, tenant, cluster in zip(LIVES, all_tenants, clusters)]:
            life.result()
    return all_tenants, {network.account.number: [network.arn]}


def asked_for(life, tenant):
    return as_administrator(tenant) | ASKED.get(life, {}) | encrypted(life, tenant)


def as_administrator(tenant):
    return {"admin_principal_arn": f"arn:aws:iam::{tenant.account.number}:role/admin"}


def encrypted(life, tenant):
    return {"encryption": {"kms_key_arn": keys.new(tenant.account)}} if life == full else {}


def full(tenant, _):
    """The cluster is furnished, and deleted with its data and everything in it that makes deleting hard."""
    cluster = tenant.wait("full", "running")
    assert cluster["furnished"], cluster["unfurnished"]
    for bucket in cluster["outputs"]["buckets"].values():
        fill(tenant.account, bucket)
    leave_in_roles(tenant.account, cluster)
    leftovers = kubernetes.of_cluster(tenant.account, cluster)
    leftovers.make()
    leftovers.claim()
    let_out(leftovers)
    tenant.gone("full", data="delete")


def broken(tenant, _):
    """Everything that can fail fails once, the NAT gateway disappears, and retries repair it. Then the deletion is blocked for a while."""
    assert retried_until_running(tenant, "broken"), "the nodes failed while everything else was there"
    tenant.delete("broken")
    assert retried_until_deleted(tenant, "broken"), "the deletion was blocked while the cluster was there"


def torn(tenant, cluster):
    """The journal is lost while nodes are made. The invocation at work has read it; the next one has not."""
    until(lambda: "slow" in cloud.report()["faults"], "a node group is being made", every=0.02)
    lose_journal(tenant.service, cluster["id"])
    tenant.wait("torn", "running")
    tenant.gone("torn")


def early(tenant, _):
    """It is deleted before there is a control plane, whose log group would stay. Its role is tried without a cluster, too."""
    assert tenant.check()["works"]
    tenant.wait("early", "failed")
    tenant.gone("early")


def housed(tenant, _):
    """In subnets of the customer's, with what Kubernetes leaves there."""
    cluster = tenant.wait("housed", "running")
    outputs = next(one["outputs"] for one in cluster["resources"] if one["key"] == "network")
    name = cluster["outputs"]["cluster_name"]
    kubernetes.Leftovers(tenant.account, outputs["vpc"], outputs["subnets"].split(","), name, cluster["id"]).make()
    tenant.gone("housed")


def joined(tenant, cluster):
    """In a cluster that the customer made, the journal is lost and a node group fails once. All node groups come and go."""
    tenant.wait("joined", "failed")
    tenant.retry("joined")
    # Now the nodes take their time, so that an invocation comes after the one that is at work.
    until(lambda: tenant.show("joined")["stage"] == "create-nodegroups", "nodes are being made", every=0.02)
    lose_journal(tenant.service, cluster["id"])
    # If the failed group has not gone by then, nobody knows of it any more, and it stops one more run.
    if until(lambda: at_rest(tenant, "joined"), "joined is at rest", seconds=60)["status"] == "failed":
        tenant.retry("joined")
    tenant.wait("joined", "running")
    tenant.gone("joined")


def lose_journal(service, cluster_id):
    """As fast as possible: DynamoDB takes 25 entries in a call."""
    entries = [{"DeleteRequest": {"Key": dynamodb_table.key(cluster_id, entry)}} for entry in dynamodb_table.journal(service, cluster_id)]
    for start in range(0, len(entries), 25):
        aws_clients.operator("dynamodb").batch_write_item(RequestItems={service.stack["TableName"]: entries[start : start + 25]})


def failing_once(cluster_id):
    """Everything that takes a while fails once, with one add-on of each stage that makes add-ons."""
    made = ["ec2:CreateNatGateway", "ec2:CreateVpcEndpoint", "eks:CreateCluster", "eks:CreateNodegroup"]
    whose = [(call, cluster_id) for call in made]
    whose += [("eks:CreateAddon", f"{cluster_id}-{stage}") for stage in ("create-eks", "create-nodegroups")]
    return [failing(call, by) for call, by in whose]


def unavailable_and_failing(cluster_id):
    """The only node group has to be asked for by another invocation, and then it fails."""
    return [slow_and_failing(cluster_id)[1], failing("eks:CreateNodegroup", cluster_id)]


def without_control_plane(cluster_id):
    refusal = {"status": 400, "code": "NeverSeen", "message": "It failed on demand."}
    return [{"calls": "eks:CreateCluster", "by": cluster_id, "effect": {"refuse": refusal}}]


def failing(call, by):
    issue = {"code": "InternalFailure", "message": "It failed on demand."}
    return {"calls": call, "by": by, "effect": {"fail": issue}, "times": 1}


def refused_for_a_while(cluster_id):
    """A deletion that is refused for good lists what is left, including the cluster. Each invocation tries it once."""
    refusal = {"status": 400, "code": "InvalidRequestException", "message": "It was refused on demand."}
    return [{"calls": "eks:DeleteCluster", "by": f"{cluster_id}-teardown", "effect": {"refuse": refusal}, "times": 8}]


def slow_and_failing(cluster_id):
    """The call for one of two node groups takes five seconds. The other one has to be asked for again, by another invocation."""
    call = {"calls": "eks:CreateNodegroup", "by": cluster_id, "times": 1}
    unavailable = {"status": 503, "code": "ServiceUnavailableException", "message": "It was refused on demand."}
    return [call | {"effect": {"slow": 5 * settings.SPEED}}, call | {"effect": {"refuse": unavailable}}]


def unencrypted(cluster_id):
    """S3 encrypts every new bucket. If it does not say so for a bucket, Groundwork looks twice."""
    code, message = "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"
    whose = {"calls": "s3:GetEncryptionConfiguration", "by": f"{cluster_id}-create-buckets"}
    return [whose | {"effect": {"refuse": {"status": 404, "code": code, "message": message}}, "times": 6}]


# One has all that the dearer profile brings.
LIVES = [full, broken, torn, early, housed, joined]
SPOT = {"name": "g4dn.xlarge", "capacity": "spot", "alternatives": ["g5.xlarge"]}
FLOW_LOGS = {"flow_logs": True}
ASKED = {
    full: {"performance_profile": "standard", "instance_types": [{"name": "m6i.large"}, SPOT], "network": FLOW_LOGS},
    torn: {"network": FLOW_LOGS},
    joined: {"instance_types": [{"name": "m6i.large"}, SPOT]},
}
FAULTS = {
    full: unencrypted,
    broken: lambda cluster_id: [*failing_once(cluster_id), *refused_for_a_while(cluster_id)],
    torn: slow_and_failing,
    early: without_control_plane,
    joined: unavailable_and_failing,
}


def retried_until_running(tenant, name):
    """Once only nodes are missing, breaks what was ready. Returns whether it came to that."""
    spoilt = False
    for _ in range(RETRIES):
        cluster = until(lambda: at_rest(tenant, name), f"{name} is at rest", seconds=60)
        if cluster["status"] == "running":
            return spoilt
        if cluster["stage"] == "create-nodegroups" and not spoilt:
            take_nat_gateway(tenant.account, cluster)
            open_bucket(tenant.account, cluster)
            spoilt = True
        tenant.retry(name)
    raise AssertionError(f"{name} is {cluster['status']} after {RETRIES} retries: {cluster['reason']}")


def retried_until_deleted(tenant, name):
    """Returns whether something was in the way."""
    for retries in range(RETRIES):
        cluster = until(lambda: at_rest(tenant, name), f"{name} is at rest", seconds=60)
        if cluster["status"] == "deleted":
            return retries > 0
        tenant.retry(name)
    raise AssertionError(f"{name} is {cluster['status']} after {RETRIES} retries: {cluster['reason']}")


def at_rest(tenant, name):
    cluster = tenant.show(name)
    return cluster if cluster["status"] in ("running", "failed", "deleted", "delete_blocked") else None


def take_nat_gateway(account, cluster):
    """Leaves a route that leads nowhere. The call goes through the proxy, so that the local cloud sees it."""
    gateway = next(one["outputs"]["id"] for one in cluster["resources"] if one["key"] == "nat-gateway")
    ec2 = aws_clients.client("ec2", (account.number, "test"), settings.PROXY_URL)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    until(lambda: is_gone(ec2, gateway), "the NAT gateway is gone", every=0.05)


def open_bucket(account, cluster):
    """Removes the access block and the encryption, which S3 gives every new bucket."""
    s3, bucket = account.client("s3"), f"groundwork-{cluster['id']}-logs"
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_bucket_encryption(Bucket=bucket)


def is_gone(ec2, gateway):
    found = ec2.describe_nat_gateways(Filter=[{"Name": "nat-gateway-id", "Values": [gateway]}])["NatGateways"]
    return all(one["State"] == "deleted" for one in found)


def fill(account, bucket):
    """Versions, a delete marker and an unfinished upload."""
    s3 = account.client("s3")
    for text in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="weights", Body=text)
    s3.delete_object(Bucket=bucket, Key="weights")
    s3.create_multipart_upload(Bucket=bucket, Key="unfinished")


def leave_in_roles(account, cluster):
    """What automation leaves on the node role."""
    iam = account.client("iam")
    role = f"groundwork-{cluster['id']}-node"
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}'
    iam.put_role_policy(RoleName=role, PolicyName="automation", PolicyDocument=document)


def let_out(leftovers):
    """Gives the security groups of EKS and of the controller outgoing rules that name each other."""
    made = leftovers.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [leftovers.vpc_id]}])["SecurityGroups"]
    whose = ("aws:eks:cluster-name", "elbv2.k8s.aws/cluster")
    pair = [next(group["GroupId"] for group in made if key in census.tags_of(group)) for key in whose]
    for one, other in (pair, reversed(pair)):
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": other}]}
        leftovers.ec2.authorize_security_group_egress(GroupId=one, IpPermissions=[rule])
