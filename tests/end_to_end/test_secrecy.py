"""No credentials and no external IDs in execution histories, logs and records."""

import json
import re

import aws_clients
import cloud
import customer_role

# What STS and Cognito give out looks like this; the first test below checks the pattern against real ones.
CREDENTIALS = re.compile(r"(?:AKIA|ASIA)[0-9A-Z]{16}|FwoG[0-9A-Za-z+/=]{20,}|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")


def test_the_pattern_matches_real_credentials(tenant):
    account = tenant.account
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.number}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = account.client("iam").create_role(RoleName="probe", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    given = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
    assert CREDENTIALS.search(given["AccessKeyId"]) and CREDENTIALS.search(given["SessionToken"])
    assert CREDENTIALS.search(tenant.session.headers["Authorization"])


def test_no_credential_and_no_external_id_is_in_histories_logs_or_records(tenant, service):
    live_a_whole_life(tenant)
    external_ids = [item["external_id"]["S"] for item in table(service) if "external_id" in item]
    assert tenant.onboarding()["external_id"] in external_ids
    secret = re.compile("|".join([CREDENTIALS.pattern, *map(re.escape, external_ids)]))
    for place, texts in places(service).items():
        assert texts, f"{place}: nothing to search"
        found = [text for text in texts if secret.search(text)]
        assert not found, f"{place}: {found[0][:2000]}"


def live_a_whole_life(tenant):
    """A refusal, a retry, a creation and a deletion, so that every stage has held the external ID and credentials."""
    mend = customer_role.replace_trust(tenant.account, "groundwork", tenant.onboarding()["external_id"], "another-external-id")
    own = tenant.onboarding()["external_id"]
    tenant.accepted("POST", "/clusters", tenant.request("discreet", external_id=own), **{"Idempotency-Key": "discreet"})
    tenant.wait("discreet", "failed")
    mend()
    tenant.retry("discreet")
    tenant.wait("discreet", "running")
    tenant.gone("discreet")


def places(service):
    clusters = [item for item in table(service) if item["pk"]["S"].startswith("CLUSTER#")]
    return {
        "execution histories": list(histories(service)),
        "log groups": list(logged()),
        "log of the local AWS": cloud.emulator().log.read_text().splitlines(),
        "clusters' records": [json.dumps(item) for item in clusters],
        "idempotency keys": [json.dumps(item) for item in table(service) if item["pk"]["S"].startswith("IDEMPOTENCY#")],
    }


def table(service):
    pages = aws_clients.operator("dynamodb").get_paginator("scan").paginate(TableName=service.stack["TableName"])
    return [item for page in pages for item in page["Items"]]


def histories(service):
    machines = aws_clients.operator("stepfunctions")
    for machine in ("ProvisionArn", "TeardownArn"):
        pages = machines.get_paginator("list_executions").paginate(stateMachineArn=service.stack[machine])
        for execution in (one for page in pages for one in page["executions"]):
            history = machines.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
            yield from (json.dumps(event, default=str) for page in history for event in page["events"])
            yield json.dumps(machines.describe_execution(executionArn=execution["executionArn"]), default=str)


def logged():
    logs = aws_clients.operator("logs")
    for group in (one for page in logs.get_paginator("describe_log_groups").paginate() for one in page["logGroups"]):
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        yield from (event["message"] for page in pages for event in page["events"])
