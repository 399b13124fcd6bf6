"""The functions' clock in what the local AWS tells them: they have another time than it, as tests/clock shows it to them.

* Each function's process gets the clock.
* Lambda says until when an invocation lives, and STS until when a session is valid, in the functions' time.
* AWS refuses what was signed minutes ago or ahead. Here the functions sign ahead, and the proxy passes deletions on when AWS would be
  done with them, so signatures are believed whenever they were made.
"""

import os
from datetime import timedelta

import clock
from ministack.core import lambda_runtime, sigv4
from ministack.services import sts


def mend(library):
    # For the processes that this one starts: its own has been loaded already.
    os.environ["LD_PRELOAD"] = library
    worker = lambda_runtime.ProvidedWorker
    worker._build_handler_class = with_deadlines(worker._build_handler_class)
    sts._future = lambda seconds: f"{clock.now() + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
    sigv4.request_time_failure = lambda signature, *, now=None: None


def with_deadlines(build):
    """Lambda's runtime API, which says when an invocation ends."""

    def build_handler_class(worker, generation, pending):
        class Handler(build(worker, generation, pending)):
            def send_header(self, name, value):
                if name == "Lambda-Runtime-Deadline-Ms":
                    value = str(round(clock.shown(int(value) / 1000) * 1000))
                super().send_header(name, value)

        return Handler

    return build_handler_class
