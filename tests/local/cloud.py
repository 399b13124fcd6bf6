"""The local AWS as a process: start it, stop it, say whether it runs."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

import settings
from problem import Problem

RECORD = settings.STATE / "emulator.json"
LOG = settings.STATE / "emulator.log"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 15


def start():
    """Starts the local AWS unless it runs as it should already."""
    if is_running() and recorded()["settings"] == settings_of_process():
        return
    stop()
    if port_is_taken():
        raise Problem(
            f"Port {settings.PORT} is taken by another process. "
            "Stop that, or choose another port: GROUNDWORK_PORT=4666 make …"
        )
    wait_until_healthy(launch())


def stop():
    """Stops the local AWS of this directory, if it runs. Its state is gone with it."""
    if not is_running():
        RECORD.unlink(missing_ok=True)
        return
    pid = recorded()["pid"]
    os.killpg(pid, signal.SIGTERM)
    if not ended_within(pid, SECONDS_TO_STOP):
        os.killpg(pid, signal.SIGKILL)
    RECORD.unlink(missing_ok=True)


def is_running():
    """Whether the process that we started is there: a pid alone may belong to another by now."""
    if not RECORD.exists():
        return False
    try:
        command = open(f"/proc/{recorded()['pid']}/cmdline").read()
    except FileNotFoundError:
        return False
    return "emulator.py" in command


def recorded():
    return json.loads(RECORD.read_text())


def settings_of_process():
    """What cannot be changed while it runs."""
    return {"port": settings.PORT, "cloud_url": settings.CLOUD_URL, "wait_scale": settings.WAIT_SCALE}


def port_is_taken():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", settings.PORT)) == 0


def launch():
    settings.STATE.mkdir(parents=True, exist_ok=True)
    temporary = settings.STATE / "tmp"
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [settings.TOOLS / "emulator/bin/python", settings.REPOSITORY / "tests/local/emulator.py"],
        env=environment_of_process(temporary),
        stdin=subprocess.DEVNULL,
        stdout=LOG.open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    RECORD.write_text(json.dumps({"pid": process.pid, "settings": settings_of_process()}))
    return process


def environment_of_process(temporary):
    """The functions inherit this environment, so it holds nothing of the caller's but where things are."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TMPDIR": str(temporary),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(settings.PORT),
        "AUTH": "true",
        "MINISTACK_ACCOUNT_ID": settings.OPERATOR_ACCOUNT,
        "MINISTACK_REGION": settings.REGION,
        "MINISTACK_HOST": "127.0.0.1",
        "SFN_WAIT_SCALE": settings.WAIT_SCALE,
        "IOT_MTLS_ENABLED": "0",
        "AWS_ENDPOINT_URL": settings.CLOUD_URL,
    }


def wait_until_healthy(process):
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        if is_healthy():
            return
        time.sleep(0.1)
    said = "\n".join(LOG.read_text().splitlines()[-15:])
    raise Problem(f"{said}\n\nThe local AWS did not start; all it said is in {LOG}")


def is_healthy():
    try:
        with urllib.request.urlopen(f"{settings.EMULATOR_URL}/_ministack/health", timeout=5):
            return True
    except OSError:
        return False


def ended_within(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not os.path.exists(f"/proc/{pid}"):
            return True
        time.sleep(0.1)
    return False
