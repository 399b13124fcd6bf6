"""The README, tried as a newcomer does: its commands are run as they stand, and its tables have the words of the service."""

import json
import re
import subprocess
import sys

import aws_clients
import environment
import jobs
import pytest
import readme
import settings
import tenants
from account import new_account
from shell import functions, run
from waiting import until


TRY = readme.commands("Try it on a laptop", "wait_for research running")
TYPED = readme.commands("Try it on a laptop", "groundwork create")
JOBS = readme.commands("Jobs and schedules", "create-schedule")
LET_IN = readme.commands("Let it into your account", "template")
CHECK = readme.commands("Let it into your account", "onboarding/check")


def test_an_account_lets_groundwork_in_by_the_commands_and_its_stack_is_protected(stranger, tmp_path):
    account, file = new_account(), tmp_path / "env"
    token = stranger.session.headers["Authorization"].removeprefix("Bearer ")
    variables = {"GROUNDWORK_API_URL": stranger.service.url, "GROUNDWORK_TOKEN": token}
    environment.write(variables | aws_clients.cli((account.number, "test")), file)
    printed = run(functions(TRY), LET_IN, file=file, cwd=tmp_path)
    role = account.client("iam").get_role(RoleName="groundwork")["Role"]
    assert printed.splitlines()[-1] == role["Arn"]
    assert role["AssumeRolePolicyDocument"] == stranger.onboarding()["trust_policy"]
    assert '"works":true' in run(functions(TRY), CHECK, file=file, GROUNDWORK_ROLE_ARN=role["Arn"])
    cloudformation = account.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="TerminationProtection is enabled"):
        cloudformation.delete_stack(StackName="groundwork")


def test_a_cluster_is_created_entered_and_deleted_by_the_commands(service, tmp_path):
    creation, deletion = TRY.split("ask -X DELETE")
    printed = run(creation)
    assert "research is running" in printed and '"action":"requested"' in printed
    get_in(tmp_path / "config")
    assert "research is deleted" in run(functions(TRY), "ask -X DELETE", deletion)


def get_in(kubeconfig):
    """As the tenant, in its own account."""
    blocks = [readme.commands("Get into the cluster", word) for word in ("update-kubeconfig", "create-access-entry", "update-cluster-config")]
    # The local EKS changes no cluster, so the AWS CLI only reads the command.
    blocks.append(readme.commands("What a cluster is", "--logging"))
    blocks[-2:] = [block.rstrip() + " --generate-cli-skeleton output\n" for block in blocks[-2:]]
    run(functions(TRY), *blocks, file=environment.of(settings.DEMO_TENANT), KUBECONFIG=str(kubeconfig))
    assert re.search(r"server: https?://\S+", kubeconfig.read_text()) and "name: research" in kubeconfig.read_text()
    name = re.search(r":cluster/(\S+)", kubeconfig.read_text())[1]
    entries = aws_clients.client("eks", settings.DEMO_KEYS).list_access_entries(clusterName=name)["accessEntries"]
    assert any(arn.endswith(":role/admin") for arn in entries), entries


def test_a_cluster_is_made_shown_and_taken_away_on_the_command_line(service):
    printed = run(TYPED)
    assert "gpu is running." in printed and "The cluster is running." in printed and "gpu is deleted." in printed


def test_waiting_for_a_parked_cluster_ends_with_an_error(service, stranger):
    tenants.without_role(stranger).create("parked")
    variables = {"GROUNDWORK_TOKEN": stranger.session.headers["Authorization"].removeprefix("Bearer ")}
    script = f"{functions(TRY)}\nexport GROUNDWORK_TOKEN={variables['GROUNDWORK_TOKEN']}\n"
    waits = 'wait_for {} running && echo waited || echo "gave up"\n'
    assert "gave up" in run(script, waits.format("parked"))
    assert "gave up" in run(script, waits.format("unknown"))


def test_the_commands_for_jobs_make_a_schedule_whose_job_creates_a_cluster_and_send_one_that_deletes_it(service):
    creation, deletion = JOBS.split("aws sqs")
    run(creation)
    scheduler = aws_clients.operator("scheduler")
    made = scheduler.get_schedule(Name="gpu-monday", GroupName=service.stack["JobSchedulesGroup"])
    job = json.loads(made["Target"]["Input"])
    assert job["idempotency_key"] == jobs.KEY_OF_FIRING
    jobs.schedule_once(service, "gpu-monday-now", made["Target"]["Input"])
    demo = tenants.Tenant(service, settings.DEMO_TENANT)
    demo.wait(job["cluster"]["name"], "running")
    run(functions(JOBS), "aws sqs", deletion)
    demo.wait(job["cluster"]["name"], "deleted")


def test_a_user_of_a_tenant_is_made_by_the_commands_and_its_token_works(service):
    signing_in = readme.commands("Deploy it on AWS", "admin-create-user")
    # The address in the stack's outputs is AWS's.
    signing_in += 'curl -sS -H "Authorization: Bearer $GROUNDWORK_TOKEN" "$URL/clusters"'
    assert "clusters" in json.loads(run(functions(JOBS), signing_in, URL=service.url).splitlines()[-1])


def test_another_tenant_is_one_command(service):
    made = subprocess.run([sys.executable, "local/tenant.py", "acme"], cwd=settings.REPOSITORY, text=True, capture_output=True)
    assert made.returncode == 0, made.stdout + made.stderr
    said = environment.read(environment.of("acme"))
    assert said["GROUNDWORK_ROLE_ARN"].split(":")[4] == said["GROUNDWORK_ACCOUNT_ID"] != settings.DEMO_ACCOUNT
    body = json.dumps({"name": "acme", "role_arn": said["GROUNDWORK_ROLE_ARN"], "region": settings.REGION, "instance_types": [{"name": "m6i.large"}]})
    after = f"ask -d '{body}' \"$GROUNDWORK_API_URL/clusters\"\nwait_for acme running\naws sts get-caller-identity\n"
    after += 'ask -X DELETE "$GROUNDWORK_API_URL/clusters/acme"\nwait_for acme deleted\n'
    assert said["GROUNDWORK_ACCOUNT_ID"] in run(functions(TRY), after, file=environment.of("acme"))


@pytest.mark.parametrize(
    ("heading", "path", "enum", "title"),
    [
        ("status", "shared/wire/src/status.rs", "Status", "What it says"),
        ("state", "shared/wire/src/view/resource.rs", "ResourceState", "What it says"),
        ("action", "shared/wire/src/event.rs", "Action", "What it says"),
        ("mode", "shared/wire/src/status.rs", "EndpointAccess", "Get into the cluster"),
    ],
)
def test_every_word_of_an_answer_is_explained(heading, path, enum, title):
    assert set(readme.table(title, heading)) == readme.words_of(path, enum)


def test_the_fields_that_are_marked_as_required_are_those_that_the_service_asks_for(stranger):
    marked = readme.table("Ask for a cluster", "field")
    required = {name for name, (needed, _) in marked.items() if needed in ("yes", "managed")}
    assert asked_for(stranger, {}) == {name for name in required if "." not in name}
    theirs = {name for name, (needed, _) in marked.items() if needed in ("yes", "self-managed") and "." not in name}
    assert asked_for(stranger, {"mode": "self_managed"}) == theirs
    with_nodes = {"mode": "self_managed", "instance_types": [{"name": "m6i.large"}]}
    assert asked_for(stranger, with_nodes) == theirs | {"node_role_arn"}
    assert asked_for(stranger, {"instance_types": [{}]}) == required - {"instance_types"}


def asked_for(tenant, body):
    faults = tenant.call("POST", "/clusters", body).json()["faults"]
    missing = {fault["path"] for fault in faults if "required" in fault["message"]}
    return {path.removeprefix("$.").replace("[0]", "[]") for path in missing}


def test_every_field_of_a_request_is_in_the_table():
    spec = "shared/wire/src/spec"
    fields = readme.fields_of(f"{spec}/mod.rs", "Spec") - {"ground"} | readme.fields_of(f"{spec}/access.rs", "Access")
    fields |= readme.fields_of(f"{spec}/self_managed.rs", "SelfManaged") | {"mode", "external_id"}
    fields |= {f"deletion.{name}" for name in readme.fields_of(f"{spec}/deletion.rs", "Deletion")}
    fields |= {f"instance_types[].{name}" for name in readme.fields_of(f"{spec}/nodes.rs", "InstanceType")}
    assert set(readme.table("Ask for a cluster", "field")) == fields
