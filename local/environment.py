"""The file `.local/env`: everything that a shell or a test needs to use the running service."""

import os
import shlex

import settings

FILE = settings.STATE / "env"


def write(variables):
    """In shell syntax, and readable by its owner only, because it holds a token and an external ID."""
    FILE.touch(mode=0o600)
    os.chmod(FILE, 0o600)
    FILE.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))


def read():
    words = (shlex.split(line)[1] for line in FILE.read_text().splitlines())
    return dict(word.split("=", 1) for word in words)
