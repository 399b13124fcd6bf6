"""What the templates and the state machines promise, read from the files. No AWS is needed."""

import json
import re

import pytest
import settings
import templates

POLICIES = ("template.yaml", "onboarding/quick-start.yaml")
PARK = "Park"


@pytest.mark.parametrize("path", POLICIES)
def test_no_policy_allows_an_action_with_a_star(path):
    assert templates.statements(path)
    for where, statement in templates.statements(path):
        assert "NotAction" not in statement, where
        # A boundary grants nothing.
        if statement["Effect"] == "Allow" and "BoundaryPolicy" not in where:
            assert not [action for action in templates.listed(statement["Action"]) if "*" in action], where


def test_functions_may_assume_only_the_roles_of_groundwork_in_other_accounts():
    grants = [
        statement
        for where, statement in templates.statements("template.yaml")
        if "sts:AssumeRole" in templates.listed(statement["Action"]) and "Principal" not in statement
    ]
    assert grants
    for grant in grants:
        assert grant["Resource"] == {"!Sub": "arn:${AWS::Partition}:iam::*:role/groundwork*"}
        assert grant["Condition"] == {"StringNotEquals": {"aws:ResourceAccount": {"!Ref": "AWS::AccountId"}}}


def test_a_function_has_a_role_of_its_own_that_writes_to_its_own_log_only():
    resources = templates.template("template.yaml")["Resources"]
    for name, function in functions().items():
        assert function["Role"] == {"!GetAtt": f"{name}Role.Arn"} and "Policies" not in function, name
        role = resources[f"{name}Role"]["Properties"]
        # Without a name of its own, a role that is replaced never meets its successor.
        assert set(role) - {"Path"} == {"AssumeRolePolicyDocument", "Policies"}, name
        stated = [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
        # What is there on a condition counts, too.
        granted = [one["Fn::If"][1] if "Fn::If" in one else one for one in stated]
        logs = [one for one in granted if any(action.startswith("logs:") for action in templates.listed(one["Action"]))]
        assert [one["Resource"] for one in logs] == [{"!GetAtt": f"{function['LoggingConfig']['LogGroup']['!Ref']}.Arn"}], name


def test_customers_trust_the_stages_roles_and_no_other_and_so_do_those_from_before_the_path():
    template = templates.template("template.yaml")
    roles = {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == "AWS::IAM::Role"}
    pattern = template["Outputs"]["PrincipalPattern"]["Value"]
    assert template["Resources"]["Api"]["Properties"]["Environment"]["Variables"]["PRINCIPAL_PATTERN"] == pattern
    before = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-Stage*"
    for name, role in roles.items():
        path = role.get("Path", {"!Sub": "/"})["!Sub"]
        # What CloudFormation makes of it: the stack's name, this one, and something random.
        arn = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{path}${{AWS::StackName}}-{name}-1A2B3C"
        assert like(arn, pattern["!Sub"]) == like(arn, before) == name.startswith("Stage"), name
    assert not like("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-Stage-by-somebody", pattern["!Sub"])


def like(arn, pattern):
    """IAM's ArnLike, in which a star stands for slashes, too."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), arn) is not None


def functions():
    resources = templates.template("template.yaml")["Resources"]
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}


def test_the_table_of_permissions_has_every_action_that_the_code_calls():
    rows = json.loads((settings.REPOSITORY / "onboarding/permissions.json").read_text())
    theirs = json.loads((settings.REPOSITORY / "examples/self-managed/policy.json").read_text())
    granted = {row["action"] for row in rows} | {action for one in theirs["Statement"] for action in templates.listed(one["Action"])}
    assert templates.called_in_the_customer_s_account() <= granted


def test_the_role_of_the_customer_trusts_by_external_id_and_by_name_only():
    role = templates.template("onboarding/quick-start.yaml")["Resources"]["Role"]["Properties"]
    for statement in role["AssumeRolePolicyDocument"]["Statement"]:
        assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == {"!Sub": "${ExternalId}"}
        assert statement["Condition"]["ArnLike"]["aws:PrincipalArn"] == {"!Sub": "${OperatorPrincipalPattern}"}


@pytest.mark.parametrize("name", templates.MACHINES)
def test_every_task_has_the_same_retry_and_every_stage_the_same_catch(name):
    tasks = templates.tasks(name)
    stages = {title: task for title, task in tasks.items() if title != PARK}
    assert stages and PARK in tasks
    retry = next(iter(stages.values()))["Retry"]
    assert all(task["Retry"] == retry for task in tasks.values())
    assert all(rule["JitterStrategy"] == "FULL" for rule in retry)
    errors = {title: [rule["ErrorEquals"] for rule in catching(name, title)] for title in stages}
    assert all(caught == [["Superseded"], ["States.ALL"]] for caught in errors.values()), errors
    assert all(task["TimeoutSeconds"] > 0 for task in tasks.values())


def catching(name, title):
    """The Catch of a task. Inside a branch, it is that of the whole Parallel."""
    states = templates.states(name)
    own = states[title].get("Catch")
    around = [state for state in states.values() if state["Type"] == "Parallel" and inside(state, title)]
    return own or around[0]["Catch"]


def inside(parallel, title):
    return any(title in branch["States"] for branch in parallel["Branches"])


@pytest.mark.parametrize("name", templates.MACHINES)
def test_an_unexpected_answer_fails_and_every_fault_ends_in_parking(name):
    states = templates.states(name)
    choices = [state for state in states.values() if state["Type"] == "Choice"]
    assert choices and all("Default" in choice for choice in choices)
    for rules in (rule for title in templates.tasks(name) if title != PARK for rule in catching(name, title)):
        assert states[rules["Next"]]["Type"] == ("Succeed" if rules["ErrorEquals"] == ["Superseded"] else "Task")
    assert "Delete" not in str([state.get("Resource") for state in states.values()])


@pytest.mark.parametrize("name", templates.MACHINES)
def test_only_identifiers_travel(name):
    allowed = {"{% $states.context.Execution.Input %}"}
    payloads = {title: task["Arguments"]["Payload"] for title, task in templates.tasks(name).items()}
    assert {str(payload) for title, payload in payloads.items() if title != PARK} == allowed
    assert set(payloads[PARK]["park"]) == {"cluster_id", "run", "error", "cause"}


@pytest.mark.parametrize(("name", "resource"), [("provision", "Provision"), ("teardown", "Teardown")])
def test_the_template_gives_a_machine_exactly_the_functions_that_it_names(name, resource):
    given = templates.template("template.yaml")["Resources"][resource]["Properties"]["DefinitionSubstitutions"]
    named = {task["Arguments"]["FunctionName"].strip("${}") for task in templates.tasks(name).values()}
    assert named == set(given)


@pytest.mark.parametrize(
    ("names", "policy"),
    [
        (("Table", "UserPool", "QuickStartBucket"), "Retain"),
        # Their names are fixed: after a first deployment that failed they would be in the way of the next.
        (("ApiLogs", "JobsLogs", "HttpAccessLogs"), "RetainExceptOnCreate"),
    ],
)
def test_records_users_and_who_did_what_outlive_the_stack(names, policy):
    resources = templates.template("template.yaml")["Resources"]
    for name in names:
        assert (resources[name]["DeletionPolicy"], resources[name]["UpdateReplacePolicy"]) == (policy, "Retain"), name


def test_records_and_users_are_not_deleted_by_mistake_and_records_can_be_restored():
    resources = templates.template("template.yaml")["Resources"]
    table, pool = resources["Table"]["Properties"], resources["UserPool"]["Properties"]
    assert table["DeletionProtectionEnabled"] is True and pool["DeletionProtection"] == "ACTIVE"
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_the_quick_start_s_bucket_is_private_until_readers_are_named():
    template = templates.template("template.yaml")
    assert template["Parameters"]["QuickStartReaders"]["Default"] == ""
    bucket, policy = (template["Resources"][name]["Properties"] for name in ("QuickStartBucket", "QuickStartBucketPolicy"))
    closed = {True, ("AnybodyReadsQuickStart", False, True)}
    block = bucket["PublicAccessBlockConfiguration"].values()
    assert len(block) == 4 and {tuple(one["!If"]) if isinstance(one, dict) else one for one in block} == closed
    opened, tls = policy["PolicyDocument"]["Statement"]
    assert opened["!If"][0] == "SomebodyReadsQuickStart" and opened["!If"][2] == {"!Ref": "AWS::NoValue"}
    assert tls["Effect"] == "Deny"


# What is unique inside something else of the stack.
NAMES_WITHIN = {"UserPoolClient": "ClientName", "HttpAuthorizer": "Name", "HttpStage": "StageName"}


def test_no_name_is_the_same_in_two_stacks():
    resources = templates.template("template.yaml")["Resources"]
    properties = [(name, key, value) for name, one in resources.items() for key, value in one.get("Properties", {}).items()]
    named = {(name, key): value for name, key, value in properties if re.search("(?<!Metric)Name$", key)}
    assert len(named) > 20 and {key for key, value in named.items() if is_fixed(value)} == set(NAMES_WITHIN.items())
    # SAM names a schedule after the function and the event.
    events = [event for one in resources.values() for event in one.get("Properties", {}).get("Events", {}).values()]
    schedules = [event["Properties"] for event in events if event["Type"] == "ScheduleV2"]
    assert schedules and all("${AWS::StackName}" in str(schedule["Name"]) for schedule in schedules)


def is_fixed(value):
    refers = isinstance(value, dict) and value.keys() <= {"!Ref", "!GetAtt"}
    return not refers and "${AWS::StackName}" not in str(value)


def test_the_quick_start_keeps_the_role_as_long_as_iam_keeps_a_boundary():
    resources = templates.template("onboarding/quick-start.yaml")["Resources"]
    boundaries = {"BoundaryPolicy", "AutoscalerPolicy", "WorkloadPolicy"}
    assert {resources[name]["DependsOn"] for name in boundaries} == {"Role"}
    needed = [one["!Ref"] for one in resources["Role"]["Properties"]["ManagedPolicyArns"]]
    assert resources.keys() == {"Role", *boundaries, *needed}


def test_every_function_has_a_log_group_with_retention():
    resources = templates.template("template.yaml")["Resources"]
    assert len(functions()) == 11
    for name, function in functions().items():
        group = resources[function["LoggingConfig"]["LogGroup"]["!Ref"]]["Properties"]
        assert group["RetentionInDays"], name


def test_the_tenant_of_a_user_cannot_be_changed_by_the_user():
    resources = templates.template("template.yaml")["Resources"]
    pool, client = resources["UserPool"]["Properties"], resources["UserPoolClient"]["Properties"]
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert [attribute["Mutable"] for attribute in pool["Schema"] if attribute["Name"] == "tenant"] == [False]
    assert "custom:tenant" not in client["WriteAttributes"]


def test_the_client_that_people_log_in_with_has_no_secret_and_sends_them_to_their_own_machine_only():
    resources = templates.template("template.yaml")["Resources"]
    client = resources["UserPoolClient"]["Properties"]
    assert "GenerateSecret" not in client, "AWS would replace the client of an earlier version"
    assert (client["AllowedOAuthFlows"], client["AllowedOAuthScopes"]) == (["code"], ["openid"])
    assert client["CallbackURLs"] and all(re.fullmatch(r"http://localhost:\d+/callback", url) for url in client["CallbackURLs"])
    # Cognito refuses the two together, and the first in a pool of the plan Lite.
    assert client["RefreshTokenRotation"]["Feature"] == "ENABLED" and "ALLOW_REFRESH_TOKEN_AUTH" not in client["ExplicitAuthFlows"]
    assert resources["UserPool"]["Properties"]["UserPoolTier"] == "ESSENTIALS"


def test_the_pages_where_people_log_in_have_an_address_that_no_stack_s_name_makes_invalid_or_takes():
    domain = templates.template("template.yaml")["Resources"]["UserPoolDomain"]["Properties"]["Domain"]
    assert "AWS::StackId" in str(domain) and "AWS::StackName" not in str(domain)


def test_people_are_sent_to_the_issuer_that_the_authorizer_believes():
    resources = templates.template("template.yaml")["Resources"]
    told = resources["Api"]["Properties"]["Environment"]["Variables"]
    believed = resources["HttpAuthorizer"]["Properties"]["JwtConfiguration"]
    assert (told["LOGIN_ISSUER"], [told["LOGIN_CLIENT_ID"]]) == (believed["Issuer"], believed["Audience"])
