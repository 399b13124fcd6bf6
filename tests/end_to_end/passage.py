"""A way to the service that can be closed: what a lost connection is to whoever uses it."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Passage:
    def __init__(self, url):
        self.there = urlsplit(url)
        self.is_open = True
        self.inside = []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = self.there._replace(netloc=f"127.0.0.1:{self.door.getsockname()[1]}").geturl()

    def __enter__(self):
        threading.Thread(target=self.let_in, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.door.close()
        self.close()

    def close(self):
        """Also for those who are inside: each end is told, and whoever waits at it wakes."""
        self.is_open = False
        for end in self.inside:
            shut(end)

    def open(self):
        self.is_open = True

    def let_in(self):
        while True:
            try:
                came, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self.lead, args=(came,), daemon=True).start()

    def lead(self, came):
        if not self.is_open:
            came.close()
            return
        with came, socket.create_connection((self.there.hostname, self.there.port)) as went:
            self.inside += [came, went]
            back = threading.Thread(target=self.pass_on, args=(went, came), daemon=True)
            back.start()
            self.pass_on(came, went)
            back.join()

    def pass_on(self, one, other):
        try:
            while self.is_open and (data := one.recv(65536)):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            shut(end)


def shut(end):
    """It may be already."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
