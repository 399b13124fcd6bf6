"""Waiting for something to become true, and never longer than that takes."""

import time

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
