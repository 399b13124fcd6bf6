"""The counts of tests, from what cargo and pytest wrote: the last lines of `make test`."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

CARGO_RESULT = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")


def rust(log):
    results = [[int(number) for number in found] for found in CARGO_RESULT.findall(log.read_text())]
    passed, failed, ignored = map(sum, zip(*results)) if results else (0, 0, 0)
    return f"Rust: {passed} passed, {failed} failed, {ignored} skipped"


def matrix(log):
    return re.search(r"^matrix: \d+ cases, \d+ failed$", log.read_text(), re.MULTILINE).group()


def end_to_end(report):
    suite = ElementTree.parse(report).getroot().find("testsuite")
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    return f"End-to-end: {total - failed - skipped} passed, {failed} failed, {skipped} skipped"


if __name__ == "__main__":
    print(rust(Path(sys.argv[1])))
    print(matrix(Path(sys.argv[1])))
    print(end_to_end(Path(sys.argv[2])))
