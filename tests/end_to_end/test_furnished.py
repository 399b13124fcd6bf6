"""A service with an address of its own furnishes a closed cluster; then people work in it, and all of it goes again."""

import aws_clients
import census
import cloud
import deploy
import person
import settings
import tenants
from account import new_account
from kubectl import Kubectl, described
from parameters import PARAMETERS
from service import Service
from waiting import until

STACK = "groundwork-inside"
JOB = (settings.REPOSITORY / "tests/kubernetes/whole/testdata/job.yaml").read_text()
SPACE = "/api/v1/namespaces/research"


def test_a_closed_cluster_is_furnished_and_left_and_each_gpu_job_in_it_brings_a_node_of_its_type(service, tmp_path):
    """`service` is the stack beside it: the local AWS is up."""
    stack = deploy.deploy(PARAMETERS | {"FixedAddress": "yes"}, STACK)
    account = new_account()
    cloud.set_account(account.number, cloud.COMPANY | {"private_endpoints_only": False, "kubernetes": True})
    inside = Service({"GROUNDWORK_API_URL": deploy.api_url(stack)}, stack)
    tenant = tenants.with_role(inside, tenants.new(inside), account)
    roles = {name: person.role(account, name) for name in ("administrator", "researcher", "nobody")}
    before = census.census(account)
    tenant.create(
        "inside",
        instance_types=[
            {"name": "g4dn.xlarge", "max_count": 1},
            {"name": "g5.xlarge", "max_count": 1},
            {"name": "m6i.large", "max_count": 2, "overprovisioned_ondemand_count": 1},
        ],
        access={"administrators": [roles["administrator"]], "users": [roles["researcher"]]},
    )
    cluster = tenant.wait("inside", "running")
    assert (cluster["furnished"], cluster["unfurnished"]) == (True, None), cluster
    nobody_of_ours_is_inside(account, cluster)
    open_to_everybody(account, cluster)
    people = {name: Kubectl(account, role, cluster["outputs"]["connect"]["kubeconfig"], tmp_path) for name, role in roles.items()}
    each_may_do_what_is_theirs(people)
    each_gpu_job_brings_a_node_of_its_type(people["administrator"], people["researcher"], tmp_path)
    # The node is still there.
    tenant.gone("inside")
    assert census.census(account) == before
    aws_clients.operator("cloudformation").delete_stack(StackName=STACK)


def operators_addresses():
    gateways = aws_clients.operator("ec2").describe_nat_gateways()["NatGateways"]
    return [f"{address['PublicIp']}/32" for one in gateways if one["State"] == "available" for address in one["NatGatewayAddresses"]]


def nobody_of_ours_is_inside(account, cluster):
    assert cluster["endpoint_access"]["operator"] in operators_addresses()
    name = cluster["outputs"]["cluster_name"]
    assert described(account, name)["resourcesVpcConfig"]["endpointPublicAccess"] is False
    entries = account.client("eks").list_access_entries(clusterName=name)["accessEntries"]
    assert not [entry for entry in entries if entry.endswith("-hand")], entries
    # It was there, by the operator's address and no other.
    hands = [one for one in cloud.authorizations() if f"{account.number}:assumed-role/groundwork-{cluster['id']}-hand" in one["session"]]
    assert all(not one["calls"] for one in hands), "our own role asks AWS for nothing"


def open_to_everybody(account, cluster):
    """As its administrator would, once EKS has done what it was asked before."""
    until(lambda: described(account, cluster["outputs"]["cluster_name"])["status"] == "ACTIVE", "it is closed")
    eks, name = aws_clients.client("eks", (account.number, "test"), settings.PROXY_URL), cluster["outputs"]["cluster_name"]
    eks.update_cluster_config(name=name, resourcesVpcConfig={"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]})
    until(lambda: described(account, name)["status"] == "ACTIVE", "it is open")


def each_may_do_what_is_theirs(people):
    until(lambda: people["administrator"].try_to("get", "--raw", "/api/v1/nodes") == "done", "the administrator gets in")
    until(lambda: people["researcher"].try_to("get", "--raw", f"{SPACE}/pods") == "done", "the researcher gets in")
    for who, words, ends in (
        ("administrator", "get storageclass gp3", "done"),
        ("administrator", "get deployment cluster-autoscaler --namespace kube-system", "done"),
        ("administrator", "create namespace hers", "done"),
        ("researcher", f"get --raw {SPACE}/resourcequotas", "done"),
        ("researcher", "create secret generic key --namespace research", "done"),
        ("researcher", "create quota more --namespace research", "forbidden"),
        ("researcher", "create namespace mine", "forbidden"),
        ("researcher", "create secret generic key --namespace hers", "forbidden"),
        ("researcher", "get --raw /api/v1/nodes", "forbidden"),
        ("researcher", "get --raw /api/v1/namespaces/kube-system/secrets", "forbidden"),
        ("researcher", "delete storageclass gp3", "forbidden"),
        ("nobody", "get --raw /api", "unknown"),
    ):
        assert people[who].try_to(*words.split()) == ends, (who, words)


def each_gpu_job_brings_a_node_of_its_type(administrator, researcher, folder):
    def nodes():
        groups = "jsonpath={.items[*].metadata.labels.eks\\.amazonaws\\.com/nodegroup}"
        return sorted(administrator("get", "nodes", "--output", groups).split())

    def run(job, on, command):
        file = folder / f"{job}.yaml"
        file.write_text(JOB.replace("JOB", job).replace("GROUP", on).replace("COMMAND", command))
        researcher("apply", "--namespace", "research", "--filename", file)

    def told(reason):
        """What the autoscaler says of pods: "<pod> <message>" each."""
        each = 'jsonpath={range .items[*]}{.involvedObject.name} {.message}{"\\n"}{end}'
        return researcher("get", "events", "--namespace", "research", "--field-selector", f"reason={reason}", "--output", each).splitlines()

    until(lambda: nodes() == ["m6i-large", "system"], "the reserve is there")
    run("short", "g5-xlarge", "echo done")
    run("train", "g4dn-xlarge", "echo trained; train for ever")
    researcher("wait", "job/short", "--namespace", "research", "--for=condition=complete", "--timeout=100s")
    researcher("wait", "job/train", "--namespace", "research", "--for=jsonpath={.status.ready}=1", "--timeout=100s")
    brought = told("TriggeredScaleUp")
    for job, group_of_it in (("short", "g5-xlarge"), ("train", "g4dn-xlarge")):
        [of_job] = [line for line in brought if line.startswith(f"{job}-")]
        assert f"[{{{group_of_it} 0->1 (max: 1)}}]" in of_job, brought
    assert researcher("logs", "--namespace", "research", "job/train") == "trained"
    until(lambda: nodes() == ["g4dn-xlarge", "m6i-large", "system"], "the idle node has gone and the reserve stays")
    run("more", "g4dn-xlarge", "echo never")
    until(lambda: any("max node group size reached" in line for line in told("NotTriggerScaleUp")), "why the full group does not grow is told")
