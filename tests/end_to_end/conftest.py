"""One local AWS for the whole run, brought up by the code of `make up`. Each test has a customer of its own."""

import own_cloud
import pytest

# An hour of AWS takes six seconds: the states in between can be seen, and the tests do not wait long.
# The workers of pytest-xdist inherit the choice from the process that starts them, so all of them agree.
own_cloud.choose(".local/tests", speed=600)

import cloud  # noqa: E402
import environment  # noqa: E402
import settings  # noqa: E402
import tenants  # noqa: E402
from account import new_account  # noqa: E402
from service import Service, brought_up  # noqa: E402


def pytest_report_header():
    return f"seed: {settings.SEED}"


def pytest_sessionstart(session):
    session.config.stash[WAS_UP] = cloud.is_running()


def pytest_sessionfinish(session):
    """The process that started the workers outlives them, so it stops what they started."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and not session.config.stash[WAS_UP]:
        cloud.stop()
        environment.forget()


WAS_UP = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def service() -> Service:
    return brought_up()


@pytest.fixture
def tenant(service):
    """A tenant of this test only, with a role in an account of its own."""
    return tenants.with_role(service, tenants.new(service), new_account())


@pytest.fixture
def stranger(service):
    """A tenant that has no role in any account."""
    return tenants.new(service)
