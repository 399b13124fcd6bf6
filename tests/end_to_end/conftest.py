"""One local AWS for the whole run, brought up by the code of `make up`; a customer of its own for each test."""

import os
import secrets
import socket
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# The workers of pytest-xdist inherit these from the process that starts them, so all agree.
os.environ.setdefault("GROUNDWORK_LOCAL_DIR", ".local/tests")
os.environ.setdefault("GROUNDWORK_PORT", str(free_port()))
os.environ.setdefault("GROUNDWORK_CLOUD_PORT", str(free_port()))
# An hour of AWS in six seconds: the states in between are there, and the tests do not wait for them long.
os.environ.setdefault("GROUNDWORK_SPEED", "600")
os.environ.setdefault("GROUNDWORK_TEST_RUN", secrets.token_hex(8))
TESTS = HERE.parent
sys.path[:0] = [str(HERE), str(TESTS / "tools"), str(TESTS.parent / "local")]

import cloud  # noqa: E402
import environment  # noqa: E402
import tenants  # noqa: E402
from account import new_account  # noqa: E402
from service import Service, brought_up  # noqa: E402


def pytest_sessionstart(session):
    session.config.stash[WAS_UP] = cloud.is_running()


def pytest_sessionfinish(session):
    """The process that started the workers outlives them, and stops what they started."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and not session.config.stash[WAS_UP]:
        cloud.stop()
        environment.FILE.unlink(missing_ok=True)


WAS_UP = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def service() -> Service:
    return brought_up()


@pytest.fixture
def tenant(service):
    """A tenant that nobody else is, whose role is in an account that nobody else uses."""
    return tenants.with_role(service, tenants.new(service), new_account())


@pytest.fixture
def stranger(service):
    """A tenant without a role anywhere."""
    return tenants.new(service)
