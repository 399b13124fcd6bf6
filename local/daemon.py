"""A background process of the local cloud: started once, then found and stopped by the process id that was written down."""

import json
import os
import signal
import socket
import subprocess
import time

import settings
from problem import Problem

SECONDS_TO_START = 60
SECONDS_TO_STOP = 15


class Daemon:
    def __init__(self, name, command, environment, port, is_healthy):
        self.name, self.command, self.environment, self.port = name, [str(word) for word in command], environment, port
        self.is_healthy = is_healthy
        self.record = settings.STATE / f"{name}.json"
        self.log = settings.STATE / f"{name}.log"

    def start(self):
        """Starts it, unless it is already running with the same command and environment."""
        if self.is_running() and self.recorded()["command"] == self.command and self.recorded()["environment"] == self.environment:
            return
        self.stop()
        if self.port_is_taken():
            raise Problem(
                f"Another process is using port {self.port}. "
                "Stop it, or choose other ports: GROUNDWORK_PORT=4666 GROUNDWORK_CLOUD_PORT=4667 GROUNDWORK_NAT_PORT=4668 make …"
            )
        self.wait_until_healthy(self.launch())

    def stop(self):
        if self.is_running():
            pid = self.recorded()["pid"]
            os.killpg(pid, signal.SIGTERM)
            if not ended_within(pid, SECONDS_TO_STOP):
                os.killpg(pid, signal.SIGKILL)
        self.record.unlink(missing_ok=True)

    def is_running(self):
        """Whether the process that we started is still running. Its command is compared too, because the pid may be another's by now."""
        if not self.record.exists():
            return False
        try:
            command = open(f"/proc/{self.recorded()['pid']}/cmdline").read().split("\0")
        except FileNotFoundError:
            return False
        started = self.recorded()["command"]
        return command[: len(started)] == started

    def recorded(self):
        return json.loads(self.record.read_text())

    def port_is_taken(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def launch(self):
        settings.STATE.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.record.write_text(json.dumps({"pid": process.pid, "command": self.command, "environment": self.environment}))
        return process

    def wait_until_healthy(self, process):
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and process.poll() is None:
            if self.is_healthy():
                return
            time.sleep(0.1)
        said = "\n".join(self.log.read_text().splitlines()[-15:])
        raise Problem(f"{said}\n\nThe {self.name} did not start. Its whole output is in {self.log}")


def ended_within(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not lives(pid):
            return True
        time.sleep(0.1)
    return False


def lives(pid):
    """Whether it is running. A child that we stopped ourselves stays in /proc as a zombie until we exit."""
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
