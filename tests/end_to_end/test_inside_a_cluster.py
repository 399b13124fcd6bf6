"""A cluster of the local EKS has a real API server: who gets in, what they may do there, and how nodes come and go. No Groundwork in it."""

import json
import random
from pathlib import Path

import aws_clients
import cloud
import pytest
import settings
from account import Account
from kubectl import Kubectl, described, kubeconfig
from own_network import Network
from service import one_at_a_time
from waiting import until

NAME = "groundwork-research-abcdefghijkl"
TESTDATA = settings.REPOSITORY / "tests/kubernetes/whole/testdata"
POLICIES = "arn:aws:eks::aws:cluster-access-policy"
SPACE = "/api/v1/namespaces/research"
RESEARCH = {"type": "namespace", "namespaces": ["research"]}
ELSEWHERE = "54.240.193.0/24"
DISK = 100


@pytest.fixture
def account():
    """One whose clusters have control planes."""
    with one_at_a_time():
        cloud.start()
    account = Account(str(random.randrange(3 * 10**11, 10**12)))
    cloud.set_account(account.number, cloud.COMPANY | {"private_endpoints_only": False, "kubernetes": True})
    return account


@pytest.fixture
def roles(account):
    trusts = {
        "cluster": "eks.amazonaws.com", "nodes": "ec2.amazonaws.com", "autoscaler": "pods.eks.amazonaws.com",
        "administrator": None, "researcher": None, "nobody": None,
    }
    return {name: role(account, name, service) for name, service in trusts.items()}


@pytest.fixture
def eks(account):
    return aws_clients.client("eks", (account.number, "test"), settings.PROXY_URL)


@pytest.fixture
def cluster(account, roles, eks):
    network = Network(account)
    eks.create_cluster(
        name=NAME,
        roleArn=roles["cluster"],
        resourcesVpcConfig={"subnetIds": network.subnets},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    )
    assert "endpoint" not in described(account, NAME)
    until(lambda: described(account, NAME)["status"] == "ACTIVE", "the control plane answers")
    admit(eks, roles["administrator"], "AmazonEKSClusterAdminPolicy", {"type": "cluster"})
    # There is no such namespace yet.
    admit(eks, roles["researcher"], "AmazonEKSEditPolicy", RESEARCH)
    template = account.client("ec2").create_launch_template(
        LaunchTemplateName="disks",
        LaunchTemplateData={"BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": DISK}}]},
    )["LaunchTemplate"]
    for name, kind, least, most, taints in (
        ("system", "m6i.large", 1, 1, []),
        ("g4dn-xlarge", "g4dn.xlarge", 0, 1, [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]),
    ):
        eks.create_nodegroup(
            clusterName=NAME, nodegroupName=name, nodeRole=roles["nodes"], subnets=network.subnets, instanceTypes=[kind], taints=taints,
            scalingConfig={"minSize": least, "maxSize": most, "desiredSize": least},
            launchTemplate={"id": template["LaunchTemplateId"], "version": "1"},
            labels={"groundwork.dev/node-group": name} | ({"k8s.amazonaws.com/accelerator": "nvidia"} if taints else {}),
        )
    return described(account, NAME)


def test_a_cluster_has_an_api_server_that_lets_in_whom_eks_does(account, roles, eks, cluster, tmp_path):
    administrator, researcher, nobody = (
        Kubectl(account, roles[name], kubeconfig(cluster), tmp_path) for name in ("administrator", "researcher", "nobody")
    )
    assert administrator("auth", "whoami", "--output", "jsonpath={.status.userInfo.username}") == (
        f"arn:aws:sts::{account.number}:assumed-role/administrator/her"
    )
    administrator("apply", "--server-side", "--filename", TESTDATA / "furniture.json")
    other_cluster = Kubectl(account, roles["administrator"], kubeconfig(cluster, "another"), tmp_path)
    until(lambda: researcher.try_to("get", "--raw", f"{SPACE}/pods") == "done", "the namespace has the binding")
    for who, words, ends, why in (
        (nobody, f"get --raw {SPACE}/pods", "unknown", "a role without an access entry"),
        (other_cluster, "get --raw /api/v1/nodes", "unknown", "a token for another cluster"),
        (administrator, "get --raw /api/v1/nodes", "done", "it may do everything"),
        (researcher, "create secret generic key --namespace research", "done", "Edit has secrets"),
        (researcher, f"get --raw {SPACE}/resourcequotas", "done", "it sees quotas"),
        (researcher, "create quota more --namespace research", "forbidden", "and makes none"),
        (researcher, "create namespace mine", "forbidden", "namespaces are the cluster's"),
        (researcher, "get --raw /api/v1/namespaces/kube-system/secrets", "forbidden", "another namespace"),
    ):
        assert who.try_to(*words.split()) == ends, why

    gets_credentials_as_it_is_admitted(eks, administrator, roles["autoscaler"])
    grows_for_a_job_and_shrinks_after_it(eks, administrator, researcher, tmp_path)
    by_autoscaler = [one for one in cloud.authorizations() if f"{account.number}:assumed-role/autoscaler/" in one["session"]]
    called = {call["call"] for one in by_autoscaler for call in one["calls"]}
    assert {"autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup", "eks:DescribeNodegroup"} <= called

    # Only the operator reaches it now; and then not even the administrator may do anything.
    address = operators_address()
    eks.update_cluster_config(name=NAME, resourcesVpcConfig={"publicAccessCidrs": [ELSEWHERE, f"{address}/32"]})
    until(lambda: administrator.try_to("get", "--raw", "/readyz", "--request-timeout=5s") == "no answer", "a laptop gets no answer")
    through_nat = described(account, NAME, settings.NAT_URL)
    assert through_nat["endpoint"] != cluster["endpoint"]
    as_operator = Kubectl(account, roles["administrator"], kubeconfig(through_nat), tmp_path)
    assert as_operator.try_to("get", "--raw", "/api/v1/nodes") == "done"
    eks.disassociate_access_policy(
        clusterName=NAME, principalArn=roles["administrator"], policyArn=f"{POLICIES}/AmazonEKSClusterAdminPolicy"
    )
    until(lambda: as_operator.try_to("get", "--raw", "/api/v1/nodes") == "forbidden", "the administrator is none any more")

    for group in eks.list_nodegroups(clusterName=NAME)["nodegroups"]:
        eks.delete_nodegroup(clusterName=NAME, nodegroupName=group)
    until(lambda: not eks.list_nodegroups(clusterName=NAME)["nodegroups"], "the node groups are gone")
    eks.delete_cluster(name=NAME)
    until(lambda: not processes_of(account), "the control plane has ended")


def gets_credentials_as_it_is_admitted(eks, administrator, role):
    """The autoscaler's pod that was there before the association never has any."""
    pods = ("pods", "--namespace", "kube-system", "--selector", "app=cluster-autoscaler")
    crashed = "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff"
    # It is an error if there is no pod yet.
    until(lambda: administrator.try_to("wait", *pods, crashed, "--timeout=30s") == "done", "the pod crashes")
    said = administrator("get", *pods, "--output", "jsonpath={.items[*].status.containerStatuses[*].lastState.terminated.message}")
    assert "failed to refresh cached credentials" in said
    eks.create_pod_identity_association(
        clusterName=NAME, namespace="kube-system", serviceAccount="cluster-autoscaler", roleArn=role
    )
    administrator("delete", *pods)
    administrator("wait", "deployment/cluster-autoscaler", "--namespace", "kube-system", "--for=condition=Available", "--timeout=90s")


def grows_for_a_job_and_shrinks_after_it(eks, administrator, researcher, folder):
    gpu_nodes = ("nodes", "--selector", "eks.amazonaws.com/nodegroup=g4dn-xlarge")
    assert administrator("get", *gpu_nodes, "--output", "name") == ""
    job = (TESTDATA / "job.yaml").read_text()
    for word, value in {"JOB": "train", "GROUP": "g4dn-xlarge", "COMMAND": "echo hello; train for ever"}.items():
        job = job.replace(word, value)
    (folder / "job.yaml").write_text(job)
    researcher("apply", "--namespace", "research", "--filename", folder / "job.yaml")
    researcher("wait", "job/train", "--namespace", "research", "--for=jsonpath={.status.ready}=1", "--timeout=90s")
    assert administrator("get", *gpu_nodes, "--output", "jsonpath={.items[*].status.capacity.ephemeral-storage}") == f"{DISK}Gi"
    assert researcher("logs", "--namespace", "research", "job/train") == "hello"
    researcher("delete", "job", "train", "--namespace", "research")
    administrator("wait", *gpu_nodes, "--for=delete", "--timeout=90s")
    assert eks.describe_nodegroup(clusterName=NAME, nodegroupName="g4dn-xlarge")["nodegroup"]["scalingConfig"]["desiredSize"] == 0


def processes_of(account):
    """Those with the folder of the account's clusters in their command line."""
    folder = str(settings.KUBERNETES / account.number).encode()
    lines = Path("/proc").glob("[0-9]*/cmdline")
    return [line for line in lines if folder in read(line)]


def read(line):
    try:
        return line.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def admit(eks, principal, policy, scope):
    eks.create_access_entry(clusterName=NAME, principalArn=principal)
    eks.associate_access_policy(clusterName=NAME, principalArn=principal, policyArn=f"{POLICIES}/{policy}", accessScope=scope)


def role(account, name, service):
    """A role of that service, or of the account's own people."""
    principal = {"Service": service} if service else {"AWS": f"arn:aws:iam::{account.number}:root"}
    allowed = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    trust = {"Version": "2012-10-17", "Statement": [allowed]}
    iam = account.client("iam")
    made = iam.create_role(RoleName=name, Path="/people/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if name == "autoscaler":
        actions = ["autoscaling:*", "ec2:Describe*", "eks:DescribeNodegroup"]
        allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.put_role_policy(RoleName=name, PolicyName="scale", PolicyDocument=json.dumps(allowed))
    return made


def operators_address():
    """Of the first NAT gateway in the operator's account, which the test makes if there is none."""
    ec2 = aws_clients.operator("ec2")
    there = [{"Name": "state", "Values": ["available"]}]
    if not ec2.describe_nat_gateways(Filters=there)["NatGateways"]:
        vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.0.0/24")["Subnet"]["SubnetId"]
        ec2.create_nat_gateway(SubnetId=subnet, AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])
    return ec2.describe_nat_gateways(Filters=there)["NatGateways"][0]["NatGatewayAddresses"][0]["PublicIp"]
