"""The local cloud: an emulator, a proxy that gives it AWS's timing, strictness and faults, and control planes for who asks for them."""

import fcntl
import json
import os
import shutil
import urllib.request

import clock
import settings
from daemon import Daemon
from problem import Problem

# What a company's account has when clusters are about to be made in it.
COMPANY = json.loads((settings.REPOSITORY / "tests/cloud/company.json").read_text())


def emulator():
    temporary = settings.STATE / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    # The functions inherit this environment, so of the caller's it holds only where things are.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TMPDIR": str(temporary),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(settings.PORT),
        "AUTH": "true",
        "MINISTACK_ACCOUNT_ID": settings.OPERATOR_ACCOUNT,
        "MINISTACK_REGION": settings.REGION,
        "MINISTACK_HOST": "127.0.0.1",
        # For the emulator, and by it for the functions' clock.
        "GROUNDWORK_LOCAL_DIR": str(settings.STATE),
        "GROUNDWORK_CLOCK_SPEED": str(settings.CLOCK_SPEED),
        **clock.variables(),
        "SFN_WAIT_SCALE": str(1 / settings.SPEED),
        "IOT_MTLS_ENABLED": "0",
        "AWS_ENDPOINT_URL": settings.CLOUD_URL,
        "GROUNDWORK_NAT_PORT": str(settings.NAT_PORT),
        # If this is 0, nothing survives a restart. Cognito keeps its signing key in the folder either way.
        "PERSIST_STATE": "1" if settings.KEEPS_STATE else "0",
        "STATE_DIR": str(settings.KEPT),
    }
    command = [settings.TOOLS / "emulator/bin/python", settings.REPOSITORY / "local/emulator.py"]
    return Daemon("emulator", command, environment, settings.PORT, lambda: answers(f"{settings.EMULATOR_URL}/_ministack/health"))


def proxy():
    command = [
        settings.REPOSITORY / "target/debug/cloud",
        "--port", settings.CLOUD_PORT, "--nat-port", settings.NAT_PORT,
        "--aws", settings.EMULATOR_URL, "--speed", settings.SPEED, "--seed", settings.SEED,
    ]
    return Daemon("cloud", command, {}, settings.CLOUD_PORT, lambda: answers(f"{settings.PROXY_URL}/_cloud/report"))


def control_planes():
    command = [
        settings.TOOLS / "bin/kubernetes", "eks",
        "--port", settings.KUBERNETES_PORT, "--data", settings.KUBERNETES,
        "--cloud", settings.PROXY_URL, "--aws", settings.EMULATOR_URL, "--speed", settings.SPEED,
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    health = f"http://127.0.0.1:{settings.KUBERNETES_PORT}/"
    return Daemon("kubernetes", command, environment, settings.KUBERNETES_PORT, lambda: answers(health))


def start():
    if not is_running():
        forget()
        clock.begin()
    proxy().start()
    emulator().start()


def stop():
    """Stops the local cloud of this folder if it is running. Everything in it is gone."""
    control_planes().stop()
    emulator().stop()
    proxy().stop()
    forget()


def restart_emulator():
    """Stops the emulator and starts it again, with what was in it if it keeps its state. Executions that were running have failed."""
    emulator().stop()
    emulator().start()


def forget():
    shutil.rmtree(settings.KEPT, ignore_errors=True)
    shutil.rmtree(settings.KUBERNETES, ignore_errors=True)
    clock.end()


def is_running():
    return emulator().is_running()


def set_faults(faults):
    """Replaces the faults. tests/cloud/README.md describes them."""
    tell("faults", faults)


def set_account(number, account):
    """Says what the account of that number is like. tests/cloud/src/account.rs names the fields."""
    tell("accounts", {number: account})
    if account.get("kubernetes"):
        start_control_planes()


def start_control_planes():
    if not (settings.TOOLS / "bin/kubernetes").exists():
        raise Problem("A control plane takes a program that is built from source. Run: make control-planes")
    # Tests that run side by side may ask for them at once.
    with (settings.STATE / "kubernetes.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        control_planes().start()


def tell(path, content):
    request = urllib.request.Request(f"{settings.PROXY_URL}/_cloud/{path}", json.dumps(content).encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=5):
        pass


def report():
    """What went through the proxy."""
    return told("report")


def authorizations():
    """What AWS would have asked IAM for each session in a customer's account."""
    return told("authorizations")


def told(path):
    with urllib.request.urlopen(f"{settings.PROXY_URL}/_cloud/{path}", timeout=30) as answer:
        return json.load(answer)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False
