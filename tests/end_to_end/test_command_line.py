"""The command line, as people and programs use it."""

import base64
import json
import re
import stat

import pytest

import customer_role
import pages
import settings
import sign_in
from account import new_account
from passage import Passage
from shell import environment_of, run
from terminal import CommandLine


def command_line(home, tenant, **more):
    token = tenant.session.headers["Authorization"].removeprefix("Bearer ")
    return CommandLine(home, tenant.service.url, token, **more)


@pytest.fixture
def mine(tenant, tmp_path):
    return command_line(tmp_path, tenant)


def create(name, role_arn, *more):
    return ("create", name, "--role-arn", role_arn, "--region", settings.REGION, "--instance-types", "m6i.large", *more)


def test_a_person_makes_a_cluster_gets_its_kubeconfig_reads_its_log_and_takes_it_away(mine, tenant):
    with mine.terminal("create", "--wait") as terminal:
        terminal.answer("Name", "mine")
        terminal.answer("ARN of the role", tenant.role_arn)
        terminal.answer("AWS region", "")
        terminal.answer("Instance types", "m6i.large")
        terminal.answer("becomes its administrator", "")
        terminal.see("this machine's address")
        terminal.type("n")
        terminal.see("mine will be made in account", "Create it?")
        terminal.type("y")
        terminal.see("✓ create-buckets", "create-eks", "of about")
        seen = terminal.end()
    assert "mine is running." in seen and "groundwork kubeconfig mine" in seen
    assert json.loads(mine.run("list", "--output", "json"))["clusters"][0]["nodes"] == {"kept": 0, "most": 10}
    mine.run("use", "mine")
    assert "running" in mine.run("show") and "31 of 31" not in mine.run("list")
    kubeconfig = mine.home / "kubeconfig"
    mine.run("kubeconfig", "--file", str(kubeconfig))
    assert "current-context: mine" in kubeconfig.read_text() and "get-token" in kubeconfig.read_text()
    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
    log = mine.run("logs", "--time-format", "%H:%M")
    assert "requested" in log.splitlines()[0] and "The cluster is running." in log
    assert len(mine.run("logs", "--limit", "2").splitlines()) == 2
    with mine.terminal("delete", "mine", "--wait") as terminal:
        terminal.answer("Type mine to delete it", "mine")
        assert "mine is deleted." in terminal.end()


def test_a_program_gets_json_and_the_log_on_the_side(mine, tenant):
    made = json.loads(mine.run(*create("piped", tenant.role_arn, "--wait", "--output", "json")))
    assert (made["status"], made["progress"]["ready"]) == ("running", made["progress"]["total"])
    listed = mine.run("list", "--status", "running")
    assert listed.splitlines()[0].split() == ["NAME", "TYPE", "STATUS", "REGION", "NODES", "CREATED"]
    assert "Nobody is there to ask" in mine.run("delete", "piped", code=2)
    gone = mine.run("delete", "piped", "--yes", "--wait", "--output", "yaml")
    assert "status: deleted" in gone
    assert "piped" in mine.run("list", "--deleted")


def test_a_create_that_fails_says_why_and_goes_on_once_that_is_mended(stranger, tmp_path):
    account = new_account()
    role_arn = f"arn:aws:iam::{account.number}:role/groundwork"
    mine = command_line(tmp_path, stranger)
    said = mine.run(*create("late", role_arn, "--wait"), code=6)
    assert "late is failed." in said and "groundwork retry late --wait" in said and role_arn in said
    assert "does not work yet" in mine.run("onboard", "--role-arn", role_arn, "--timeout", "1s", code=7)
    assert customer_role.onboard(account, stranger.onboarding()) == role_arn
    assert f"{role_arn} works" in mine.run("onboard", "--role-arn", role_arn)
    assert "late is running." in mine.run("retry", "late", "--wait")
    mine.run("delete", "late", "--yes", "--wait")


def test_every_fault_is_named_before_anything_is_sent(mine, tenant):
    faults = mine.run("create", "Bad_Name", "--region", "mars", "--instance-types", "a1.large,m6i.large,m6i.large", code=2)
    for path in ("$.name", "$.role_arn", "$.region"):
        assert path in faults, faults
    (mine.home / "cluster.yaml").write_text("name: [")
    assert "cluster.yaml is no request" in mine.run("create", "-f", "cluster.yaml", code=2)
    assert "You have no cluster named" in mine.run("show", "nothing", code=4)
    assert "is not your external ID" in mine.run(*create("mine", tenant.role_arn, "--external-id", "dummy"), code=2)
    assert tenant.list() == []


def test_people_log_in_in_their_browser_and_the_login_renews_itself(service, tmp_path):
    name = f"user-{tmp_path.name}"[:40].lower().replace("_", "-")
    password = sign_in.user(service.stack, name)
    browser = f"{settings.TOOLS}/test/bin/python {settings.REPOSITORY}/tests/end_to_end/log_in.py {name} {password} %s"
    mine = CommandLine(tmp_path, BROWSER=browser)
    assert "groundwork login" in mine.run("list", code=3)
    assert f"logged in to 127.0.0.1 as {name}" in mine.run("login", service.url)
    assert f"You are {name}, of the tenant {name}" in mine.run("whoami")
    file = tmp_path / "config/tokens/127.0.0.1.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    claims = base64.urlsafe_b64encode(b'{"exp": 1}').decode().rstrip("=")
    over = json.loads(file.read_text()) | {"id_token": f"x.{claims}.y"}
    file.write_text(json.dumps(over))
    assert "no clusters yet" in mine.run("list")
    assert json.loads(file.read_text())["id_token"] != over["id_token"]
    file.chmod(0o644)
    assert "Others can read" in mine.run("list", code=3)
    mine.run("logout")
    assert "not logged in" in mine.run("list", code=3)


def test_several_operators_stand_side_by_side(service, tenant, stranger, tmp_path):
    mine = CommandLine(tmp_path, BROWSER=f"{settings.TOOLS}/test/bin/python {settings.REPOSITORY}/tests/end_to_end/log_in.py")
    for operator in ("acme", "other"):
        user = f"{operator}-{tenant.name}"
        mine.environment["BROWSER"] = (
            f"{settings.TOOLS}/test/bin/python {settings.REPOSITORY}/tests/end_to_end/log_in.py {user} {sign_in.user(service.stack, user)} %s"
        )
        mine.run("login", service.url, "--name", operator)
    assert f"You are other-{tenant.name}" in mine.run("whoami")
    assert f"You are acme-{tenant.name}" in mine.run("whoami", "--operator", "acme")
    assert "You know acme, other." in mine.run("list", "--operator", "third", code=2)
    (tmp_path / "config/config.toml").write_text("operator = [")
    assert "is broken" in mine.run("list", code=1)


def test_watching_ends_with_ctrl_c_and_the_work_goes_on(mine, tenant):
    for moment in ("Create it?", "create-eks", "create-nodegroups"):
        name = f"left-{len(moment)}"
        with mine.terminal(*create(name, tenant.role_arn, "--wait")) as terminal:
            if moment != "Create it?":
                terminal.see("Create it?")
                terminal.type("y")
            terminal.see(moment)
            terminal.interrupt()
            if moment == "Create it?":
                terminal.end(130)
                assert tenant.show(name) is None
                continue
            assert f"groundwork watch {name}" in terminal.end(130)
        assert "is running." in mine.run("watch", name)
        tenant.gone(name)


def test_a_lost_connection_is_waited_for(tenant, tmp_path):
    with Passage(tenant.service.url) as passage:
        token = tenant.session.headers["Authorization"].removeprefix("Bearer ")
        mine = CommandLine(tmp_path, passage.url, token)
        with mine.terminal(*create("lost", tenant.role_arn, "--wait", "--yes")) as terminal:
            terminal.see("create-eks")
            passage.close()
            terminal.see("No answer")
            passage.open()
            assert "lost is running." in terminal.end()
    tenant.gone("lost")


def test_the_longest_name_fits_a_narrow_terminal_and_colours_can_be_switched_off(tenant, tmp_path):
    name = "a" * 63
    mine = command_line(tmp_path, tenant, NO_COLOR="1")
    with mine.terminal(*create(name, tenant.role_arn, "--wait", "--yes"), rows=24, columns=80) as terminal:
        terminal.end()
    assert b"\x1b[3" not in terminal.raw, "no colours"
    with mine.terminal("list", columns=80) as terminal:
        listed = terminal.end()
    assert all(len(line) <= 80 for line in listed.splitlines()) and "running" in listed
    tenant.gone(name)


def test_every_command_of_the_page_about_it_works_as_it_stands(mine, tenant, tmp_path):
    of_mine = {"file": environment_of(tenant, tmp_path), "GROUNDWORK_CONFIG_DIR": str(tmp_path / "config")}
    printed = run(*pages.all_commands("docs/use.md"), cwd=tmp_path, **of_mine)
    assert 'module "groundwork"' in printed and "research is deleted." in printed
    told = dict(re.findall(r"^\| (\d+) \| (.+) \|$", pages.section("docs/use.md", "When it fails"), re.M))
    help = re.findall(r"^  (\d+) +(.+)$", mine.run("--help").partition("Exit codes:")[2], re.M)
    assert told == dict(help)
