"""The functions' clock: AWS's time on the local cloud, of which more passes than on the machine. tests/clock shows it to the functions.

It begins with the local cloud, at the machine's time.
"""

import time
from datetime import datetime, timezone

import settings

LIBRARY = settings.REPOSITORY / "target/debug/libclock.so"
BEGUN = settings.STATE / "clock"


def begin():
    settings.STATE.mkdir(parents=True, exist_ok=True)
    BEGUN.write_text(str(int(time.time())))


def end():
    BEGUN.unlink(missing_ok=True)


def now():
    """What a function sees."""
    return datetime.fromtimestamp(shown(time.time()), timezone.utc)


def shown(seconds):
    """What a function sees when the machine's clock shows so many seconds since 1970."""
    begun = int(variables()["CLOCK_BEGUN"])
    return begun + (seconds - begun) * settings.CLOCK_SPEED


def variables():
    """What tests/clock reads."""
    return {"CLOCK_BEGUN": BEGUN.read_text() if BEGUN.exists() else "0", "CLOCK_SPEED": str(settings.CLOCK_SPEED)}
