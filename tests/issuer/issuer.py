"""A small OpenID Connect issuer: it plays the operator's identity provider, which the template knows as JwtIssuer.

In a test, `with running({"ada": "demo"}) as issuer:`. By itself, `issuer.py --user ada=demo` runs until it is interrupted, and says where.
There are no passwords: people say who they are by following a link. With `&user=ada` in the address they need not even do that, and with
`&user=` they say no.
"""

import argparse
import html
import json
import re
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from grants import Issuer, Refused

CLIENT_ID = "groundwork"
# As strict as Cognito, and with the same addresses.
TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
CALLBACKS = re.findall(r"http://localhost:\d+/callback", TEMPLATE.read_text())


@contextmanager
def running(users, client_id=CLIENT_ID, port=0, **more):
    """The issuer, as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.issuer = Issuer(f"http://127.0.0.1:{server.server_port}", client_id, users, CALLBACKS, **more)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(
            {
                "/.well-known/openid-configuration": lambda _: self.send_json(self.issuer.document()),
                "/jwks.json": lambda _: self.send_json({"keys": [self.issuer.key.shown()]}),
                "/authorize": self.authorize,
                "/device": self.device,
            },
            urlsplit(self.path).query,
        )

    def do_POST(self):
        self.answer(
            {
                "/token": lambda asked: self.send_json(self.issuer.token(asked)),
                "/device_authorization": lambda asked: self.send_json(self.issuer.begin_device(asked)),
                "/revoke": lambda asked: self.send_json(self.issuer.revoke(asked.get("token"))),
            },
            self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(),
        )

    def answer(self, routes, asked):
        route = routes.get(urlsplit(self.path).path)
        try:
            if not route:
                raise Refused("invalid_request", "There is no such page.")
            route(dict(parse_qsl(asked, keep_blank_values=True)))
        except Refused as refused:
            self.send_json({"error": refused.error, "error_description": str(refused)}, status=400)

    def authorize(self, asked):
        self.issuer.check(asked)
        if "user" not in asked:
            self.send_choice(asked)
            return
        state = {"state": asked["state"]} if "state" in asked else {}
        try:
            answer = {"code": self.issuer.authorize(asked, asked["user"])}
        except Refused as refused:
            answer = {"error": refused.error, "error_description": str(refused)}
        self.send_back(f"{asked['redirect_uri']}?{urlencode(answer | state)}")

    def device(self, asked):
        if "user" not in asked:
            self.send_choice(asked)
            return
        self.issuer.answer_device(asked.get("user_code"), asked["user"])
        self.send_page("Done. Go back to where you came from.")

    def send_choice(self, asked):
        """Nobody is one of the answers."""
        page = urlsplit(self.path).path
        link = lambda user: html.escape(f"{page}?{urlencode(asked | {'user': user})}")  # noqa: E731
        links = [f'<p><a href="{link(user)}">{html.escape(user or "nobody")}</a>' for user in (*self.issuer.users, "")]
        self.send_page("Who are you?" + "".join(links))

    def send_json(self, content, status=200):
        self.send(status, "application/json", json.dumps(content))

    def send_page(self, text):
        self.send(200, "text/html; charset=utf-8", f"<!doctype html><title>Log in</title><body>{text}")

    def send_back(self, location):
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @property
    def issuer(self):
        return self.server.issuer

    def log_message(self, *_):
        """Requests are not written to the terminal."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--user", action="append", required=True, metavar="NAME=TENANT", help="somebody who may log in")
    parser.add_argument("--client-id", default=CLIENT_ID, help="the template's JwtAudience")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds-of-token", type=int, default=3600)
    given = parser.parse_args()
    users = dict(user.split("=", 1) for user in given.user)
    with suppress(KeyboardInterrupt), running(users, given.client_id, given.port, seconds_of_token=given.seconds_of_token) as issuer:
        print(issuer.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
