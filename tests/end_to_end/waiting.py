"""Waiting until something is true, and doing things at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest


def until(probe, what, seconds=400, every=0.3):
    """Probes until the answer is truthy, and returns it. `what` is a text, or makes one when it is too late."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(every)


def at_once(*calls):
    """Makes all calls at the same time, and returns their answers."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
