"""What went wrong, in words that say what to do: shown without a traceback."""

import subprocess
import sys


class Problem(Exception):
    """A fault that the person at the keyboard can mend."""


def explained(main):
    """Runs main; a Problem ends in its text and exit code 1."""
    try:
        main()
    except Problem as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        sys.exit("\nstopped")


def run(command, log, environment):
    """Runs a command with its output in a file; what it said last is the explanation if it fails."""
    with log.open("w") as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment).returncode
    if code != 0:
        said = "\n".join(log.read_text().splitlines()[-25:])
        raise Problem(f"{said}\n\n{command[0]} failed with code {code}; all it said is in {log}")
