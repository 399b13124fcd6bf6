"""The file `.local/env`: everything that a shell or a test needs to use the running service. A tenant's own is `.local/<name>.env`."""

import os
import shlex

import settings

FILE = settings.STATE / "env"
# The command line of this repository. The AWS CLI that the tests use is there for those who have none of their own. Its version 1 looks for
# SQS at AWS unless it is told.
COMMAND = f"""PATH="{settings.TOOLS / "bin"}:$PATH:{settings.TOOLS / "test/bin"}"
aws() {{ command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }}
"""


def of(tenant):
    return settings.STATE / f"{tenant}.env"


def write(variables, file=FILE):
    """In shell syntax, and readable by its owner only, because it holds a token, a password and an external ID."""
    file.touch(mode=0o600)
    os.chmod(file, 0o600)
    file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()) + COMMAND)


def read(file=FILE):
    words = (shlex.split(line)[1] for line in file.read_text().splitlines() if line.startswith("export "))
    return dict(word.split("=", 1) for word in words)


def forget():
    """What they name is gone."""
    for file in (FILE, *settings.STATE.glob("*.env")):
        file.unlink(missing_ok=True)
