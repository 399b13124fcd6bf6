"""Writes the page of the failures that AWS is known for, from the tests that show how Groundwork handles them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TESTS = REPOSITORY / "tests/matrix/tests/failure_rows"
PAGE = REPOSITORY / "docs/failures.md"
# The collection that the numbers come from, if it is beside the repository.
COLLECTION = REPOSITORY.parent / "shared/aws-failures.md"

NUMBERS = (
    "1 2 3 4 6 7 8 9 10 12 13 16 17 18 20 22 23 24 25 26 27 28 30 31 33 34 35 36 37 38 39 40 41 43 44 45 48 50 51 52 52b 53 55 58"
).split()
# Met since the collection was made.
SINCE = [str(number) for number in [*range(61, 76), *range(81, 91), 98, *range(101, 105), *range(111, 114), *range(120, 127), *range(130, 150)]]

TEST = re.compile(r"^/// ([RWAFCP, ]+): (.+)\n(?:(?:///|#\[).*\n)+(?:async )?fn (row_(\d+b?)_\w+)", re.M)
IMPOSSIBLE = re.compile(r'\(\s*"(\d+b?)",\s*"([^"]+)",?\s*\)')

HEAD = """# What goes wrong on AWS, and how it is handled

Each row is a failure that others have met before us. The test in the row plays it through the real driver (`cargo test --workspace --test
failure_rows row_16`) and has the exact words that the user reads. This page is written from the tests, by `make failure-rows`.

R: the call is tried again. W: Groundwork waits. A: what exists is adopted. F: the cluster is parked with a reason and a hint. C: something
is cleaned up first. P: the failure is prevented, or the design makes it impossible.

| # | what goes wrong | | test | why it cannot happen |
|---|---|---|---|---|
"""


def tests():
    """Number → what goes wrong, how it is handled, the test."""
    found = (match.groups() for path in sorted(TESTS.glob("*.rs")) for match in TEST.finditer(path.read_text()))
    return {number: (symptom, handling, name) for handling, symptom, name, number in found}


def impossible():
    """Number → why the failure cannot happen."""
    return dict(IMPOSSIBLE.findall((TESTS / "main.rs").read_text()))


def page():
    found, why = tests(), impossible()
    rows = ((number, *found[number], why.get(number, "")) for number in NUMBERS + SINCE)
    return HEAD + "".join(f"| {number} | {what} | {handling} | `{test}` | {reason} |\n" for number, what, handling, test, reason in rows)


def collected():
    """The numbers of the collection, or None if it is not there."""
    if not COLLECTION.exists():
        return None
    return re.findall(r"^\| (\d+b?) \|", COLLECTION.read_text(), re.M)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    print(f"failure rows: {len(tests())} of {len(NUMBERS + SINCE)} have a test, {len(impossible())} of them cannot happen")
