"""A local AWS for one run only, beside that of `make up`. It has to be chosen first: the modules of `local/` read it when imported."""

import os
import secrets
import socket
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def choose(folder, speed, clock_speed=1, keeps_state=False):
    """Gives it a folder and free ports, unless the environment has others, and makes `local/`, `tests/tools/` and `tests/issuer/` importable."""
    os.environ.setdefault("GROUNDWORK_LOCAL_DIR", folder)
    os.environ.setdefault("GROUNDWORK_PORT", str(free_port()))
    os.environ.setdefault("GROUNDWORK_CLOUD_PORT", str(free_port()))
    os.environ.setdefault("GROUNDWORK_NAT_PORT", str(free_port()))
    os.environ.setdefault("GROUNDWORK_KUBERNETES_PORT", str(free_port()))
    os.environ.setdefault("GROUNDWORK_SPEED", str(speed))
    os.environ.setdefault("GROUNDWORK_CLOCK_SPEED", str(clock_speed))
    os.environ.setdefault("GROUNDWORK_KEEPS_STATE", "1" if keeps_state else "0")
    os.environ.setdefault("GROUNDWORK_TEST_RUN", secrets.token_hex(8))
    sys.path[:0] = [str(TESTS / "tools"), str(TESTS / "issuer"), str(TESTS.parent / "local")]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
