"""The pages, tried as a newcomer does: their commands are run as they stand, their links lead somewhere, and their tables are whole."""

import json
import re
import secrets
import subprocess
import sys

import aws_clients
import environment
import jobs
import pytest
import pages
import settings
import templates
import tenants
import yaml
from account import new_account
from shell import environment_of, functions, run
from waiting import until


TRY = pages.commands("docs/get-started.md", "With curl", "wait_for research running")
OUTPUT = pages.commands("docs/deploy.md", "What the stack put out", "output()")
LOOK = pages.commands("docs/operate.md", "When a cluster is stuck", "logs()")
JOBS = pages.commands("docs/operate.md", "Jobs and schedules", "create-schedule")


@pytest.mark.parametrize("block", [block for page in pages.every_page() for block in pages.blocks(page)], ids=str)
def test_a_shell_block_is_run_as_it_stands_or_listed_with_the_reason(block):
    reasons = block.why_not_run()
    is_run = block.text in pages.asked_for()
    assert is_run != bool(reasons), reasons or f"neither asked for by a test nor listed in pages.NOT_RUN:\n{block.text}"


def test_only_blocks_that_exist_are_listed():
    listed = {reason for page in pages.every_page() for block in pages.blocks(page) for reason in block.why_not_run()}
    assert listed == set(pages.NOT_RUN.values())


@pytest.mark.parametrize("page", pages.every_page())
def test_every_link_of_a_page_leads_somewhere(page):
    assert pages.broken_links(page) == []


def test_the_runbook_has_every_alarm():
    resources = templates.template("template.yaml")["Resources"].items()
    told = {name for row in pages.table("docs/operate.md", "Alarms", "alarm") for name in row.split("`, `")}
    assert told == {name for name, resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"}


def test_an_account_lets_groundwork_in_by_the_commands_and_its_stack_is_protected(stranger, tmp_path):
    stranger.account = new_account()
    letting_in = pages.commands("docs/onboard.md", "Make the role", "let-in.sh")
    printed = run(functions(TRY), letting_in, file=environment_of(stranger, tmp_path), cwd=tmp_path)
    role = stranger.account.client("iam").get_role(RoleName="groundwork")["Role"]
    assert printed.splitlines()[-1] == role["Arn"]
    assert role["AssumeRolePolicyDocument"] == stranger.onboarding()["trust_policy"]
    stranger.role_arn = role["Arn"]
    trying = pages.commands("docs/onboard.md", "Try the role", "onboarding/check")
    assert '"works":true' in run(functions(TRY), trying, file=environment_of(stranger, tmp_path))
    cloudformation = stranger.account.client("cloudformation")
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
    _, entering, granting, opening, logging = pages.all_commands("docs/clusters.md")
    # The local EKS changes no cluster, so the AWS CLI only reads the command.
    only_read = [block.rstrip() + " --generate-cli-skeleton output\n" for block in (opening, logging)]
    run(functions(TRY), entering, granting, *only_read, file=environment.of(settings.DEMO_TENANT), KUBECONFIG=str(kubeconfig))
    assert re.search(r"server: https?://\S+", kubeconfig.read_text()) and "name: research" in kubeconfig.read_text()
    name = re.search(r":cluster/(\S+)", kubeconfig.read_text())[1]
    entries = aws_clients.client("eks", settings.DEMO_KEYS).list_access_entries(clusterName=name)["accessEntries"]
    assert any(arn.endswith(":role/admin") for arn in entries), entries


def test_a_cluster_is_made_and_taken_away_by_the_commands_of_the_readme(service):
    printed = run(*pages.all_commands("README.md"))
    assert "gpu is running." in printed and "gpu is deleted." in printed


def test_a_cluster_is_made_shown_and_taken_away_on_the_command_line(service):
    printed = run(pages.commands("docs/get-started.md", "Use it yourself", "groundwork create"))
    assert "lab is running." in printed and "The cluster is running." in printed and "lab is deleted." in printed


def test_every_example_of_the_api_is_answered_as_the_page_says(tenant, tmp_path):
    examples = tmp_path / "examples"
    examples.mkdir()
    (examples / "cluster.json").write_text(json.dumps(tenant.request("research")))
    commands = pages.all_commands("docs/api.md")
    sent = [f"{command.rstrip()} -sS -o {number} -w '%{{http_code}}\\n'\n" for number, command in enumerate(commands)]
    statuses = run(*sent, file=environment_of(tenant, tmp_path), cwd=tmp_path).split()
    answers = [json.loads((tmp_path / str(number)).read_text()) for number in range(len(sent))]
    refused = {"POST /clusters/{name}/retry": "not_parked", "POST /clusters/{name}/forget": "not_forgettable"}
    said = re.findall(r"^## ([A-Z]+ /\S+)\n\n.* Answers (\d+) with", templates.source("docs/api.md"), re.M)
    assert len(said) == len(sent)
    for (route, promised), status, answer in zip(said, statuses, answers, strict=True):
        assert (status, answer.get("code")) == (("409", refused[route]) if route in refused else (promised, None)), (route, answer)
    tenant.wait("research", "deleted")


def test_waiting_for_a_parked_cluster_ends_with_an_error(service, stranger):
    tenants.without_role(stranger).create("parked")
    variables = {"GROUNDWORK_TOKEN": stranger.session.headers["Authorization"].removeprefix("Bearer ")}
    script = f"{functions(TRY)}\nexport GROUNDWORK_TOKEN={variables['GROUNDWORK_TOKEN']}\n"
    waits = 'wait_for {} running && echo waited || echo "gave up"\n'
    assert "gave up" in run(script, waits.format("parked"))
    assert "gave up" in run(script, waits.format("unknown"))


def test_the_commands_for_jobs_make_a_schedule_whose_job_creates_a_cluster_and_send_one_that_deletes_it(service):
    creation, deletion = JOBS.split("aws sqs send")
    run(OUTPUT, creation)
    scheduler = aws_clients.operator("scheduler")
    target = scheduler.get_schedule(Name="gpu-monday", GroupName=service.stack["JobSchedulesGroup"])["Target"]
    assert target["DeadLetterConfig"]["Arn"].endswith(f":{settings.STACK}-undelivered")
    job = json.loads(target["Input"])
    assert job["idempotency_key"] == jobs.KEY_OF_FIRING
    jobs.schedule_once(service, "gpu-monday-now", target["Input"])
    demo = tenants.Tenant(service, settings.DEMO_TENANT)
    demo.wait(job["cluster"]["name"], "running")
    run(OUTPUT, "aws sqs send", deletion)
    demo.wait(job["cluster"]["name"], "deleted")


def test_the_operator_finds_out_what_became_of_a_cluster(stranger):
    tenants.without_role(stranger).create("stuck")
    cluster = stranger.wait("stuck", "failed")
    reading = pages.commands("docs/operate.md", "When a cluster is stuck", "dynamodb query")
    printed = run(OUTPUT, LOOK.replace("abcdefghijkl", cluster["id"]), reading, f"echo {DIVIDER}\n", LISTING)
    about, executions = printed.split(DIVIDER)
    assert "stage stopped" in about and "assume-role" in about and '"stuck"' in about
    assert cluster["id"] not in executions, "it was parked, so its execution succeeded"


DIVIDER = "-- executions --"
LISTING = pages.commands("docs/operate.md", "Executions", "list-executions")


def test_the_operator_sees_which_jobs_failed_and_what_was_not_delivered(service):
    dead = pages.commands("docs/operate.md", "Dead letters", "receive-message")
    undelivered = pages.commands("docs/operate.md", "What was not delivered", "receive-message")
    service.send('{"action": "none of ours"}')
    until(lambda: "none of ours" in run(OUTPUT, functions(LOOK), dead), "the job is in the dead-letter queue")
    assert "job failed" in run(OUTPUT, functions(LOOK), dead, undelivered)


def test_a_role_is_free_for_another_tenant_after_the_command(service, tenant):
    partition = f"ROLE#{tenant.role_arn.lower()}"
    tenant.create("sold")
    until(lambda: service.records(partition), "the role is claimed")
    tenant.gone("sold")
    moving = pages.commands("docs/operate.md", "Move a role to another tenant", "delete-item")
    run(OUTPUT, moving.replace("333333333333", tenant.account.number))
    assert service.records(partition) == []


def test_a_user_of_a_tenant_is_made_by_the_commands_and_its_token_works(service):
    signing_in = pages.commands("docs/deploy.md", "Users", "admin-create-user")
    # The address in the stack's outputs is AWS's.
    signing_in += 'curl -sS -H "Authorization: Bearer $GROUNDWORK_TOKEN" "$URL/clusters"'
    assert "clusters" in json.loads(run(OUTPUT, signing_in, URL=service.url).splitlines()[-1])


def test_the_commands_about_events_work(service):
    run(*pages.all_commands("docs/events.md"))
    rule = aws_clients.operator("events").describe_rule(Name="failures-of-demo", EventBusName=service.stack["BusName"])
    assert json.loads(rule["EventPattern"])["detail"]["tenant"] == ["demo"]


def test_the_command_that_deploys_notifications_lets_cloudformation_make_their_role():
    kinds = {resource["Type"] for resource in templates.template("examples/notifications.yaml")["Resources"].values()}
    allowed = "--capabilities CAPABILITY_IAM" in pages.section("docs/events.md", "Mail and chat")
    assert allowed == ("AWS::IAM::Role" in kinds)


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
        ("mode", "shared/wire/src/status.rs", "EndpointAccess", "Get in"),
    ],
)
def test_every_word_of_an_answer_is_explained(heading, path, enum, title):
    assert set(pages.table("docs/clusters.md", title, heading)) == pages.words_of(path, enum)


def test_the_fields_that_are_marked_as_required_are_those_that_the_service_asks_for(stranger):
    marked = {name: mode for name, (_, mode, *_) in pages.table("docs/spec.md", "Fields", "field").items()}
    managed = {name for name, mode in marked.items() if mode in ("all", "managed")}
    assert asked_for(stranger, {}) == {name for name in managed if "[]" not in name}
    theirs = {name for name, mode in marked.items() if mode in ("all", "self_managed") and "[]" not in name} - {"mode"}
    assert asked_for(stranger, {"mode": "self_managed"}) == theirs
    with_nodes = {"mode": "self_managed", "instance_types": [{"name": "m6i.large"}]}
    assert asked_for(stranger, with_nodes) == theirs | {"node_role_arn"}
    everywhere = {name for name in managed if "[]" not in name}
    assert asked_for(stranger, {"instance_types": [{}]}) == everywhere | {name for name in managed if name.count(".") == 1 and "types[]" in name}


def test_the_example_of_a_request_is_accepted(stranger):
    body = {}
    # The first is a whole request, the others say what else it may have.
    for example in re.findall(r"```yaml\n(.*?)```", pages.section("docs/clusters.md", "Ask for one"), re.S):
        body |= yaml.safe_load(example)
    # A role belongs to the tenant that named it first, and the tests share a service.
    body |= {"name": "example", "role_arn": f"{body['role_arn']}-{secrets.token_hex(4)}"}
    answer = stranger.call("POST", "/clusters", body)
    assert answer.status_code == 202, answer.text


def asked_for(tenant, body):
    faults = tenant.call("POST", "/clusters", body).json()["faults"]
    missing = {fault["path"] for fault in faults if "required" in fault["message"]}
    return {path.removeprefix("$.").replace("[0]", "[]") for path in missing}
