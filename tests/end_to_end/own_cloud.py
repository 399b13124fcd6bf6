"""A local AWS for one run alone, beside the one of `make up`. Chosen before any module of `local/` is imported, for those read it."""

import os
import secrets
import socket
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def choose(folder, speed, keeps_state=False):
    """Puts it into a folder and on free ports, and finds the modules of `local/` and `tests/tools/`. The caller's environment wins."""
    os.environ.setdefault("GROUNDWORK_LOCAL_DIR", folder)
    os.environ.setdefault("GROUNDWORK_PORT", str(free_port()))
    os.environ.setdefault("GROUNDWORK_CLOUD_PORT", str(free_port()))
    os.environ.setdefault("GROUNDWORK_SPEED", str(speed))
    os.environ.setdefault("GROUNDWORK_KEEPS_STATE", "1" if keeps_state else "0")
    os.environ.setdefault("GROUNDWORK_TEST_RUN", secrets.token_hex(8))
    sys.path[:0] = [str(TESTS / "tools"), str(TESTS.parent / "local")]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
