"""Waiting for something to become true, and never longer than that takes; doing things at once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest


def until(probe, what, seconds=150, every=0.3):
    """Asks until the answer is truthy, and answers it."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"within {seconds} s it was not so: {what}")
        time.sleep(every)


def at_once(*calls):
    """What the calls answer, all made at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
