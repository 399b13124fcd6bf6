"""A way to the service that can be closed: what a lost connection is to whoever uses it."""

import socket
import threading
from urllib.parse import urlsplit


class Passage:
    def __init__(self, url):
        self.there = urlsplit(url)
        self.is_open = True
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = self.there._replace(netloc=f"127.0.0.1:{self.door.getsockname()[1]}").geturl()

    def __enter__(self):
        threading.Thread(target=self.let_in, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.door.close()

    def close(self):
        self.is_open = False

    def open(self):
        self.is_open = True

    def let_in(self):
        while True:
            try:
                came, _ = self.door.accept()
            except OSError:
                return
            if not self.is_open:
                came.close()
                continue
            went = socket.create_connection((self.there.hostname, self.there.port))
            for one, other in ((came, went), (went, came)):
                threading.Thread(target=self.pass_on, args=(one, other), daemon=True).start()

    def pass_on(self, one, other):
        try:
            while self.is_open and (data := one.recv(65536)):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            end.close()
