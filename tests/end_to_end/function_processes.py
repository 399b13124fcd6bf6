"""The function processes of the local AWS."""

import os
import signal
from pathlib import Path

import cloud

# What works on clusters. The API is left alone: other tests are talking to it.
WORKERS = ("validate", "assume-role", "create-buckets", "create-eks", "create-nodegroups", "furnish", "teardown", "sweep")


def running():
    """The workers that are running now: pid → function."""
    threads = Path(f"/proc/{cloud.emulator().recorded()['pid']}/task").glob("*/children")
    children = {pid: function_of(pid) for file in threads for pid in pids(file)}
    return {pid: function for pid, function in children.items() if function}


def pids(file):
    """Empty if the parent thread has just ended."""
    try:
        return [int(pid) for pid in file.read_text().split()]
    except OSError:
        return []


def function_of(pid):
    try:
        variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    except OSError:
        return None
    names = [line.partition("=")[2] for line in variables if line.startswith("AWS_LAMBDA_FUNCTION_NAME=")]
    return next((worker for name in names for worker in WORKERS if name.endswith(f"-{worker}")), None)


def kill_one(chance, workers=WORKERS):
    """Kills a worker as the kernel would, without warning. Returns its function."""
    found = {pid: function for pid, function in running().items() if function in workers}
    if not found:
        return None
    pid = chance.choice(sorted(found))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return found[pid]
