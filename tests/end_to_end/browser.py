"""A person at a command line, who is sent to the issuer's pages and comes back: what `groundwork login` and the browser do together."""

import base64
import hashlib
import html
import re
import secrets
from urllib.parse import parse_qs, urljoin, urlsplit

import requests


def login(url):
    """What GET /login says to anybody."""
    answer = requests.get(f"{url}/login", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


class Client:
    """The public client that GET /login names (RFC 8252: authorization code with PKCE, and a port of the own machine)."""

    def __init__(self, login):
        self.client_id = login["client_id"]
        self.callback = f"http://localhost:{login['ports'][0]}/callback"
        self.document = requests.get(f"{login['issuer']}/.well-known/openid-configuration", timeout=30).json()
        assert self.document["issuer"] == login["issuer"]
        self.verifier, self.state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)

    def asked(self, **other):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "scope": "openid",
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **other,
        }

    def open(self, **other):
        """The first answer to the request for authorization."""
        return requests.get(self.document["authorization_endpoint"], self.asked(**other), allow_redirects=False, timeout=30)

    def came_back(self, answer):
        """What the redirect brings to the port."""
        assert answer.status_code in (302, 303), answer.text
        location = answer.headers["Location"]
        assert location.startswith(f"{self.callback}?"), location
        brought = {name: value for name, [value] in parse_qs(urlsplit(location).query).items()}
        assert brought.pop("state") == self.state
        return brought

    def token(self, **asked):
        return requests.post(self.document["token_endpoint"], {"client_id": self.client_id, **asked}, timeout=30)

    def redeem(self, code, **other):
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback, "code_verifier": self.verifier}
        return self.token(**asked | other)

    def refresh(self, refresh_token):
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)


def fill_in(page, **fields):
    """Sends the form of a page with its hidden fields and these."""
    action = re.search(r'<form[^>]* action="([^"]+)"', page.text)[1]
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in re.findall(r"<input([^>]*)>", page.text)]
    sent = {one["name"]: html.unescape(one.get("value", "")) for one in inputs if one.get("type") == "hidden"}
    return requests.post(urljoin(page.url, action), sent | fields, allow_redirects=False, timeout=30)


def call(url, token):
    """What the API answers to whoever has the token."""
    return requests.get(f"{url}/clusters", headers={"Authorization": f"Bearer {token}"}, timeout=30)
