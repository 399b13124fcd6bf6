"""What went wrong and what to do about it, shown without a traceback."""

import subprocess
import sys


class Problem(Exception):
    """A fault that the person at the keyboard can fix."""


def explained(main):
    """Runs main. A Problem is shown as its text, with exit code 1."""
    try:
        main()
    except Problem as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        sys.exit("\nstopped")


def run(command, log, environment):
    """Runs a command with its output in a file. If it fails, the end of the output is the explanation."""
    with log.open("w") as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment).returncode
    if code != 0:
        said = "\n".join(log.read_text().splitlines()[-25:])
        raise Problem(f"{said}\n\n{command[0]} failed with code {code}. Its whole output is in {log}")
