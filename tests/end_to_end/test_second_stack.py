"""A second stack beside the service's own, from deploying it to removing it as the page about it says."""

import re
from urllib.parse import parse_qsl, urlsplit

import aws_clients
import deploy
import pages
import pytest
import settings
import shell
import templates
import tenants
from account import new_account
from parameters import PARAMETERS
from problem import run
from service import Service

STACK = "groundwork-staging"


def test_a_second_stack_stands_beside_the_first_shows_named_readers_its_template_and_outlives_its_deletion(service):
    customer = new_account()
    stack = deploy.deploy(PARAMETERS | {"QuickStartReaders": customer.number}, STACK)
    assert not set(stack.values()) & set(service.stack.values())
    publish()
    the_link_is_for(customer, tenants.new(Service({"GROUNDWORK_API_URL": deploy.api_url(stack)}, stack)).onboarding())
    remove(stack)


def publish():
    run(
        ["make", "-C", settings.REPOSITORY, "publish", f"AWS={settings.TOOLS / 'test/bin/aws'}", f"STACK={STACK}"],
        log=settings.STATE / "publish.log",
        environment=aws_clients.environment(settings.OPERATOR_KEYS),
    )


def the_link_is_for(customer, wanted):
    """It opens CloudFormation with every parameter filled in, and the customer, but nobody else, can read the template that it names."""
    link, template = urlsplit(wanted["quick_create_url"]), urlsplit(wanted["template_url"])
    assert link.hostname == f"{settings.REGION}.console.aws.amazon.com" and f"region={settings.REGION}" in link.query
    page, _, query = link.fragment.partition("?")
    assert page == "/stacks/create/review" and "quick_create_url" in wanted["grant"]
    assert dict(parse_qsl(query, strict_parsing=True)) == {
        "templateURL": wanted["template_url"],
        "stackName": "groundwork",
        "param_OperatorAccountId": wanted["principal"]["account_id"],
        "param_OperatorPrincipalPattern": wanted["principal"]["pattern"],
        "param_ExternalId": wanted["external_id"],
    }
    place = {"Bucket": template.hostname.split(".")[0], "Key": template.path[1:]}
    assert template.hostname == f"{place['Bucket']}.s3.{settings.REGION}.amazonaws.com"
    read = customer.client("s3").get_object(**place)["Body"].read().decode()
    assert read == wanted["template"] == templates.source("onboarding/quick-start.yaml")
    s3 = new_account().client("s3")
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.get_object(**place)


def remove(stack):
    """Records, users and who did what are there until they are removed, too."""
    output = pages.commands("docs/deploy.md", "What the stack put out", "output()")
    removing = pages.commands("docs/deploy.md", "Remove it", "delete-stack")
    shell.run(of_this_stack(output), of_this_stack(removing))
    assert there(stack) == {"table", "users", f"/aws/lambda/{STACK}-api", f"/aws/lambda/{STACK}-jobs", f"/aws/vendedlogs/http-api/{STACK}"}
    values = f"table={stack['TableName']}\npool={stack['UserPoolId']}\n"
    shell.run(values, of_this_stack(pages.commands("docs/deploy.md", "Remove it", "delete-table")))
    assert there(stack) == set()


def of_this_stack(commands):
    return re.sub(r"\bgroundwork\b", STACK, commands)


def there(stack):
    """What is left of the stack."""
    tables = aws_clients.operator("dynamodb").list_tables()["TableNames"]
    pools = aws_clients.operator("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    groups = aws_clients.operator("logs").describe_log_groups()["logGroups"]
    found = {group["logGroupName"] for group in groups if STACK in group["logGroupName"]}
    found |= {"table"} if stack["TableName"] in tables else set()
    return found | ({"users"} if stack["UserPoolId"] in [pool["Id"] for pool in pools] else set())
