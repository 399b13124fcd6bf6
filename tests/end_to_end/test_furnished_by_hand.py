"""A cluster of the customer's own is furnished with the customer's kubeconfig, as far as the customer's account gives what that takes."""

import shlex
import subprocess

import pytest

import pages
import person
import tenants
from kubectl import Kubectl, described, kubeconfig
from self_managed_customer import Customer
from terminal import BINARY, CommandLine
from waiting import until

EVERY_KIND = (
    "deployments,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,"
    "storageclasses,namespaces,resourcequotas,limitranges,persistentvolumes,persistentvolumeclaims"
)
ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: research}
spec:
  template:
    spec:
      serviceAccountName: run
      restartPolicy: Never
      nodeSelector: {groundwork.dev/node-group: g4dn-xlarge}
      tolerations: [{key: nvidia.com/gpu, operator: Exists}]
      containers: [{name: train, image: none, command: [sh, -c, echo trained], resources: {limits: {nvidia.com/gpu: 1}}}]
"""


@pytest.fixture
def customer(service):
    return Customer(tenants.new(service), private_endpoints_only=False, kubernetes=True)


def test_a_cluster_of_the_customer_s_own_says_what_is_missing_and_scales_our_groups_alone(customer, tmp_path):
    until(lambda: described(customer.account, customer.cluster)["status"] == "ACTIVE", "the control plane answers")
    customer.add_node_group("their-own", scalingConfig={"minSize": 0, "desiredSize": 1, "maxSize": 3}, instanceTypes=["m6i.large"])
    cluster = customer.tenant.running("joined", **customer.request(instance_types=[{"name": "g4dn.xlarge", "max_count": 1}]))
    assert (cluster["furnished"], cluster["unfurnished"]["code"]) == (False, "NoDoor")
    administrator, furnish = enters(customer, cluster, tmp_path)

    code, told = furnish()
    assert code == 1 and "1 of 11 objects do not work" in told and "Deployment kube-system/cluster-autoscaler: left out" in told, told
    code, told = furnish()
    for missing in ("no driver ebs.csi.aws.com", "so its pods reach no bucket", "its service account has no role in AWS", "examples/self-managed"):
        assert missing in told, (missing, told)
    assert code == 1 and "3 of 11 objects do not work" in told, told

    customer.give_pods_their_roles()
    until(lambda: furnish()[0] == 0, "all of it works or starts")
    until(lambda: "starts" not in furnish()[1], "the autoscaler runs")
    assert furnish()[0] == 0

    job = tmp_path / "job.yaml"
    job.write_text(JOB)
    before = customer.node_groups()["their-own"]["scalingConfig"]
    administrator("apply", "--filename", job)
    administrator("wait", "job/train", "--namespace", "research", "--for=condition=complete", "--timeout=100s")
    assert customer.node_groups()["their-own"]["scalingConfig"] == before
    customer.tenant.gone("joined")
    assert customer.node_groups().keys() == {"their-own"}
    take_away(administrator, cluster["id"])


def take_away(administrator, cluster_id):
    for command in pages.commands("docs/clusters.md", "Self-managed").replace("abcdefghijkl", cluster_id).splitlines():
        administrator(*shlex.split(command)[1:])
    left = administrator("get", EVERY_KIND, "--all-namespaces", "--selector", f"groundwork.dev/cluster={cluster_id}", "--output", "name")
    assert left == ""


def enters(customer, cluster, folder):
    """kubectl as the administrator, and `groundwork furnish` with her kubeconfig."""
    role = person.role(customer.account, "administrator")
    customer.eks.create_access_entry(clusterName=customer.cluster, principalArn=role)
    customer.eks.associate_access_policy(
        clusterName=customer.cluster, principalArn=role, policyArn=ADMINISTRATOR, accessScope={"type": "cluster"}
    )
    config = kubeconfig(described(customer.account, customer.cluster))
    administrator = Kubectl(customer.account, role, config, folder)
    until(lambda: administrator.try_to("get", "--raw", "/api/v1/nodes") == "done", "the administrator gets in")
    token = customer.tenant.session.headers["Authorization"].removeprefix("Bearer ")
    keys = {name: value for name, value in administrator.environment.items() if name.startswith("AWS_") or name == "PATH"}
    environment = CommandLine(folder, customer.tenant.service.url, token, **keys).environment

    def furnish():
        """How it ends, and what it says."""
        command = [BINARY, "furnish", "joined", "--kubeconfig", administrator.config]
        ran = subprocess.run(command, env=environment, cwd=folder, text=True, capture_output=True, timeout=200)
        return ran.returncode, ran.stdout + ran.stderr

    return administrator, furnish
