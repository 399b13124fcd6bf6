"""The function processes of the local AWS."""

import os
import random
import signal
from pathlib import Path

import cloud

# What works on clusters. The API is left alone: other tests are talking to it.
WORKERS = ("validate", "assume-role", "create-buckets", "create-eks", "create-nodegroups", "teardown", "sweep")


def running():
    """The workers that run now: pid → function."""
    threads = Path(f"/proc/{cloud.recorded()['pid']}/task").glob("*/children")
    children = {int(pid): function_of(pid) for file in threads for pid in file.read_text().split()}
    return {pid: function for pid, function in children.items() if function}


def function_of(pid):
    try:
        variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    except OSError:
        return None
    names = [line.partition("=")[2] for line in variables if line.startswith("AWS_LAMBDA_FUNCTION_NAME=")]
    return next((worker for name in names for worker in WORKERS if name.endswith(f"-{worker}")), None)


def kill_one():
    """Kills a worker as the kernel would, without a word of warning. Answers which."""
    found = running()
    if not found:
        return None
    pid = random.choice(list(found))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return found[pid]
