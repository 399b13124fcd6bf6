"""Measures how long each part takes: `timed.py <part> <command…>`, or `with timed("part"):`."""

import subprocess
import sys
import time
from contextlib import contextmanager

import settings

TIMES = settings.STATE / "times"


@contextmanager
def timed(part):
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    TIMES.parent.mkdir(parents=True, exist_ok=True)
    with TIMES.open("a") as times:
        times.write(f"{part:<10}{seconds:7.1f} s\n")
    print(f"{part}: {seconds:.1f} s", flush=True)


def main(part, *command):
    with timed(part):
        code = subprocess.run(command).returncode
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
