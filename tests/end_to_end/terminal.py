"""The command line as a program runs it, through pipes, and as a person does, in a terminal."""

import os
import select
import subprocess
import time
from contextlib import contextmanager

import pexpect
import pyte

import settings

BINARY = settings.TOOLS / "bin/groundwork"


class CommandLine:
    """Somebody's, with a home of their own. With a tenant's token in the environment, or after `groundwork login`."""

    def __init__(self, home, url=None, token=None, **more):
        self.home = home
        given = {"GROUNDWORK_API_URL": url, "GROUNDWORK_TOKEN": token, "GROUNDWORK_CONFIG_DIR": str(home / "config")}
        plain = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "TZ": "UTC"}
        self.environment = plain | {name: value for name, value in given.items() if value} | more

    def run(self, *arguments, code=0, stdin=""):
        """Through pipes. What it printed."""
        ran = subprocess.run(
            [BINARY, *arguments], env=self.environment, cwd=self.home, input=stdin, text=True, capture_output=True, timeout=200
        )
        assert ran.returncode == code, f"{ran.returncode}: {ran.stdout}\n{ran.stderr}"
        assert "\x1b" not in ran.stdout + ran.stderr, "no colours and no animation without a terminal"
        return ran.stdout if code == 0 else ran.stderr

    @contextmanager
    def terminal(self, *arguments, rows=40, columns=100):
        terminal = Terminal(pexpect.spawn(str(BINARY), list(arguments), env=self.environment, cwd=self.home, dimensions=(rows, columns)))
        try:
            yield terminal
        finally:
            terminal.child.close(force=True)


class Terminal:
    """What a person sees of one command."""

    def __init__(self, child):
        rows, columns = child.getwinsize()
        self.child, self.screen, self.raw = child, pyte.HistoryScreen(columns, rows, history=1000), b""
        self.stream = pyte.ByteStream(self.screen)

    def text(self):
        above = ["".join(line[column].data for column in range(self.screen.columns)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self.screen.display]).rstrip()

    def see(self, *texts, seconds=120, since=0):
        """Waits until all of them have been on the screen at once, from that line on."""
        deadline = time.monotonic() + seconds
        while not all(text in "\n".join(self.text().splitlines()[since:]) for text in texts):
            assert time.monotonic() < deadline, f"not within {seconds} s: {texts}\n{self.text()}"
            assert self.read(), f"it ended without {texts}:\n{self.text()}"

    def read(self):
        """False once it has ended and all that it wrote is read: pexpect looks for its death after it has looked for its last words, so it can
        miss them."""
        descriptor = self.child.fileno()
        if not select.select([descriptor], [], [], 0.2)[0]:
            return True
        try:
            read = os.read(descriptor, 65536)
        except OSError:
            return False
        self.raw += read
        self.stream.feed(read)
        return True

    def type(self, text):
        self.child.send(text)

    def answer(self, question, text):
        self.see(question)
        self.type(text + "\r")

    def interrupt(self):
        self.child.sendintr()

    def end(self, code=0):
        """Waits until it has ended with this code. All that was seen."""
        while self.read():
            pass
        self.child.close()
        assert self.child.exitstatus == code, f"{self.child.exitstatus}: {self.text()}"
        return self.text()
