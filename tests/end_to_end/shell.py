"""The pages' shell blocks, run as they stand."""

import os
import re
import subprocess

import aws_clients
import environment
import settings


def run(*blocks, file=None, cwd=settings.REPOSITORY, **more):
    """Runs shell blocks as one script after another in one shell, and returns what they print.

    `make up` and `make down` are left out, because the service is up, and kubectl, because there is no Kubernetes behind it."""
    lines = [line for line in "".join(blocks).splitlines() if not re.match(r"make (up|down)$|kubectl ", line)]
    script = "\n".join([f". {file or environment.FILE}", *lines]).replace(". .local/", f". {settings.STATE}/")
    variables = {"PATH": os.environ["PATH"], "HOME": str(settings.STATE), "TMPDIR": str(settings.STATE)} | more
    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=cwd, env=variables, text=True, capture_output=True, timeout=200)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def functions(block):
    """What a block defines, without what it does with it."""
    return re.sub(r"^(make up|\. \.local/env)\n", "", block[: block.index("\n\n") + 1], flags=re.M)


def environment_of(tenant, folder):
    """A file as `make tenant` writes it, for a tenant of a test."""
    token = tenant.session.headers["Authorization"].removeprefix("Bearer ")
    variables = {"GROUNDWORK_API_URL": tenant.service.url, "GROUNDWORK_TOKEN": token}
    variables |= {"GROUNDWORK_ROLE_ARN": tenant.role_arn} if tenant.role_arn else {}
    environment.write(variables | aws_clients.cli((tenant.account.number, "test")), folder / "env")
    return folder / "env"
