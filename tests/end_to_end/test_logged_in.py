"""How long a login lasts at the command line: without a browser, and while a cluster is watched. tests/issuer plays the operator's."""

import json
import re

import aws_clients
import customer_role
import deploy
import issuer
import requests
import settings
from account import new_account
from browser import Client, login
from parameters import PARAMETERS
from terminal import CommandLine

STACK = "groundwork-sessions"
# Shorter than any life of a cluster, and longer than a command takes to begin.
SHORT = 5


def test_a_login_without_a_browser_lasts_while_a_cluster_is_watched_and_a_token_from_elsewhere_as_long_as_it_says(service, tmp_path):
    """`service` is the stack beside it: the local AWS is up."""
    with issuer.running({"ada": "acme"}, seconds_of_token=SHORT) as provider:
        stack = deploy.deploy(PARAMETERS | {"JwtIssuer": provider.url, "JwtAudience": provider.client_id}, STACK)
        mine = CommandLine(tmp_path)
        logs_in_on_another_device(mine, provider, deploy.api_url(stack))
        onboards(mine)
        is_told_that_the_token_is_over_and_how_to_come_back(tmp_path, deploy.api_url(stack))
        stays_logged_in(mine)
        learns_that_the_login_is_over(mine, provider)
    aws_clients.operator("cloudformation").delete_stack(StackName=STACK)


def logs_in_on_another_device(mine, provider, api):
    with mine.terminal("login", api, "--device", "--name", "acme") as terminal:
        terminal.see("On any machine, open", "type in the code")
        [(page, code)] = re.findall(r"open (\S+) and type in the code (\w+)", " ".join(terminal.text().split()))
        assert page == f"{provider.url}/device"
        requests.get(page, {"user_code": code, "user": "ada"}, timeout=30).raise_for_status()
        assert "You are logged in to acme as ada@example.com" in terminal.end()
    assert "You are ada@example.com, of the tenant acme" in mine.run("whoami")
    with mine.terminal("login", api, "--device", "--name", "other") as terminal:
        terminal.see("type in the code")
        code = re.search(r"type in the code (\w+)", " ".join(terminal.text().split()))[1]
        requests.get(page, {"user_code": code, "user": ""}, timeout=30).raise_for_status()
        said = terminal.end(3)
    assert "did not log you in" in said and "Somebody said no" in said and "groundwork login" in said
    mine.run("whoami", "--operator", "other", code=2)


def onboards(mine):
    role_arn = customer_role.onboard(new_account(), json.loads(mine.run("onboard", "--output", "json")))
    assert f"{role_arn} works" in mine.run("onboard", "--role-arn", role_arn)


def is_told_that_the_token_is_over_and_how_to_come_back(home, api):
    client = Client(login(api))
    token = client.redeem(client.came_back(client.open(user="ada"))["code"]).json()["id_token"]
    program = CommandLine(home, api, token)
    said = program.run("create", "long", "--region", settings.REGION, "--instance-types", "m6i.large", "--yes", "--wait", code=3)
    for told in ("The token in GROUNDWORK_TOKEN is over", "long goes on without you", "Put a new ID token into", "groundwork watch long"):
        assert told in said, said


def stays_logged_in(mine):
    """Each token is over before the cluster is what it is to be."""
    first = id_token(mine)
    assert "long is running." in mine.run("watch", "long")
    between = id_token(mine)
    assert "long is deleted." in mine.run("delete", "long", "--yes", "--wait")
    assert len({first, between, id_token(mine)}) == 3


def learns_that_the_login_is_over(mine, provider):
    for login in [login for login, _ in provider.refresh_tokens.values()]:
        login.is_over = True
    said = mine.run("list", code=3)
    assert "Your login is over" in said and "groundwork login" in said


def id_token(mine):
    return json.loads((mine.home / "config/tokens/acme.json").read_text())["id_token"]
