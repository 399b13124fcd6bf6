"""What a deletion kept, removed as its tenant does it: with the command that the inventory gives."""

import os
import subprocess

import aws_clients
import settings


def remove(account, thing):
    cli = aws_clients.environment((account.number, "test"))
    path = os.pathsep.join([str(settings.TOOLS / "test/bin"), os.environ["PATH"]])
    ran = subprocess.run(["bash", "-c", thing["remove"]], env=cli | {"PATH": path}, text=True, capture_output=True, timeout=120)
    if ran.returncode != 0:
        raise RuntimeError(f"{thing['remove']}\n{ran.stdout}\n{ran.stderr}")
