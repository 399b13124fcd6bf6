"""Writes docs/tour.md: what a newcomer sees, captured in a terminal into which this types. `make tour`, after `make down`.

The page shows the screen after each command, and in the middle of those that take their time; docs/tour/*.cast has all of it, for asciinema.
"""

import io
import json
import os
import subprocess
import sys
import textwrap
import time
from itertools import groupby
from pathlib import Path

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "local"), str(REPOSITORY / "tests/end_to_end")]

import cloud  # noqa: E402
from problem import Problem, explained  # noqa: E402
from terminal import Terminal  # noqa: E402

PAGE, CAPTURES = REPOSITORY / "docs/tour.md", REPOSITORY / "docs/tour"
ROWS, COLUMNS = 34, 118
# An account that nobody has let Groundwork into.
ACCOUNT = "333333333333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/groundwork"


class Shell(Terminal):
    """A shell, and all that it has printed since it began."""

    def __init__(self):
        # Without the variables of whoever runs this.
        plain = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "TERM": "xterm-256color", "PS1": "$ ", "PS2": "> ", "TZ": "UTC"}
        child = pexpect.spawn("bash", ["--norc", "--noprofile"], env=plain, cwd=REPOSITORY, dimensions=(ROWS, COLUMNS))
        super().__init__(child)
        self.screen = pyte.HistoryScreen(COLUMNS, ROWS, history=5000, ratio=1)
        self.stream = pyte.ByteStream(self.screen)
        self.began, self.frames, self.first = time.monotonic(), [], 0
        self.wait()

    def read(self):
        before = len(self.raw)
        going = super().read()
        if len(self.raw) > before:
            self.frames.append([round(time.monotonic() - self.began, 2), "o", self.raw[before:].decode(errors="replace")])
        return going

    def begin(self, line):
        self.first = len(self.text().splitlines()) - 1
        self.type(line + "\r")
        # The shell echoes it. Until then its prompt is that of the command before.
        self.see(f"$ {line[:50]}", since=self.first)

    def run(self, line):
        """What is on the screen of a command, once it has ended."""
        self.begin(line)
        return self.wait()

    def wait(self, seconds=120):
        deadline = time.monotonic() + seconds
        while not self.text().endswith("\n$") and self.text() != "$":
            if time.monotonic() > deadline or not self.read():
                raise RuntimeError(f"no prompt within {seconds} s:\n{self.text()}")
        return self.shown().removesuffix("\n$")

    def shown(self):
        return "\n".join(self.text().splitlines()[self.first :])

    def save(self, name):
        head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": f"Groundwork: {name.replace('-', ' ')}"}
        lines = "".join(json.dumps(line) + "\n" for line in [head, *self.frames])
        write(CAPTURES / f"{name}.cast", lines)

    def picture(self, name, title):
        """The screen as it is now, with its colours."""
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
        lines = self.text().splitlines()
        top = len(lines) - len([line for line in self.screen.display if line.strip()])
        for row in range(max(0, self.first - top), ROWS):
            characters = [self.screen.buffer[row][column] for column in range(COLUMNS)]
            spans = [("".join(one.data for one in alike), its) for its, alike in groupby(characters, key=style)]
            line = Text.assemble(*spans)
            line.rstrip()
            if line.plain:
                console.print(line, no_wrap=True)
        write(CAPTURES / f"{name}.svg", console.export_svg(title=title))


def style(character):
    colour = {"default": None, "brown": "yellow"}.get(character.fg, character.fg)
    return Style(color=colour, bold=character.bold)


def write(file, text):
    for own in (str(REPOSITORY), os.environ["HOME"] + "/"):
        assert own not in text, f"{file.name} would tell of this machine: {own}"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def filled(text):
    return "\n".join(textwrap.fill(line, 140, break_on_hyphens=False, break_long_words=False) for line in text.splitlines())


def block(shown):
    return f"```console\n{shown}\n```\n"


def first_cluster():
    shell = Shell()
    yield "## A first cluster\n\n`make up` deploys the service on a local cloud, in which a minute of AWS takes a second, and says what to type next."
    yield block(shell.run("make up"))
    shell.run(". .local/demo.env")
    yield "On AWS you would let Groundwork into your account first. Here the tenant `demo` has done that; whether it works can be asked at any time:"
    yield block(shell.run("groundwork onboard"))
    yield "What will be made is said before anything is. Then a tree shows what is at work, for how long, and what waits for what. Half-way:"
    shell.begin("groundwork create research --region us-west-2 --instance-types g4dn.xlarge --wait")
    shell.see("Create it?")
    shell.type("y")
    shell.see("addon/vpc-cni", "of about")
    shell.picture("create", "groundwork create research --wait")
    yield block(shell.shown())
    yield "At the end, in place of the tree:"
    shown = shell.wait()
    yield block(shown[shown.index("research is running.") :])
    yield "What took how long, and what decided it:"
    yield block(shell.run("groundwork timeline research"))
    yield "Kubernetes' configuration has no credentials in it:"
    (REPOSITORY / ".local/kubeconfig.yaml").unlink(missing_ok=True)
    yield block(shell.run("groundwork kubeconfig research --file .local/kubeconfig.yaml"))
    yield block(shell.run("grep -E 'server:|current-context:|command:|- eks' .local/kubeconfig.yaml"))
    yield "The log goes on as long as something may happen, until ctrl-C:"
    shell.begin("groundwork logs research --follow --time-format %H:%M:%S")
    shell.see("The cluster is running.")
    shell.interrupt()
    shell.wait()
    lines = shell.shown().splitlines()
    yield block("\n".join([*lines[:6], "…", *lines[-7:-1]]))
    yield "And away again. What goes is said, and the name is typed:"
    shell.begin("groundwork delete research --wait")
    shell.see("Type research")
    shell.type("research\r")
    yield block(shell.wait())
    shell.save("first-cluster")
    shell.child.close(force=True)


def when_it_fails():
    shell = Shell()
    shell.run(". .local/demo.env")
    yield "## When it fails\n\nAll faults of a request are named at once:"
    yield block(shell.run("groundwork create Lab --region us-west --instance-types g4dn.xlarge,t9.huge,g4dn.xlarge --yes"))
    yield "Here somebody names an account that does not let Groundwork in yet:"
    shell.run(f"unset GROUNDWORK_ROLE_ARN; export AWS_ACCESS_KEY_ID={ACCOUNT}")
    shell.begin(f"groundwork create lab --region us-west-2 --instance-types m6i.large --role-arn {ROLE} --yes --wait")
    yield block(shell.wait())
    yield "What is to be run there, signed in to that account, with its answer:"
    shell.run("mkdir -p .local/lab && cd .local/lab")
    shell.begin("groundwork onboard")
    shell.see("once it is made")
    yield block(shell.shown())
    shell.interrupt()
    shell.wait()
    for command in onboarding()["commands"].replace("\\\n", "").splitlines():
        shell.run(command)
    shell.run("cd ../..")
    yield block(shell.run(f"groundwork onboard --role-arn {ROLE}"))
    yield "The cluster is there still, and goes on where it stopped:"
    yield block(last_of(shell, "groundwork retry lab --wait", "lab is running."))
    yield "And away again:"
    yield block(last_of(shell, "groundwork delete lab --yes --wait", "lab is deleted."))
    yield block(shell.run("make down"))
    shell.save("when-it-fails")
    shell.child.close(force=True)


def last_of(shell, command, words):
    """From these words on, without the tree before."""
    shown = shell.run(command)
    return f"$ {command}\n{shown[shown.index(words) :]}"


def onboarding():
    script = ". .local/demo.env; unset GROUNDWORK_ROLE_ARN; groundwork onboard --output json"
    return json.loads(subprocess.run(["bash", "-c", script], cwd=REPOSITORY, capture_output=True, check=True).stdout)


def main():
    if cloud.is_running():
        raise Problem("The service is up, perhaps with clusters in it. First: make down")
    parts = [
        "# A tour",
        "What you see if you type these commands on a laptop. `make tour` types them, and writes this page. "
        "[tour/first-cluster.cast](tour/first-cluster.cast) and [tour/when-it-fails.cast](tour/when-it-fails.cast) have all of it: "
        "`asciinema play docs/tour/first-cluster.cast`.",
        *first_cluster(),
        *when_it_fails(),
    ]
    write(PAGE, "\n\n".join(part.rstrip() if part.startswith("```") else filled(part) for part in parts) + "\n")
    print(f"Written: {PAGE.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    explained(main)
