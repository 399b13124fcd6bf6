"""What the issuer has given out, and what it gives for that: codes, refresh tokens, device codes. No HTTP."""

import hashlib
import secrets
import time
from dataclasses import dataclass, field

from signing import Key, encoded, key

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Refused(Exception):
    """An error of OAuth 2.0, by its name in RFC 6749 (5.2) or RFC 8628 (3.5)."""

    def __init__(self, error, description):
        super().__init__(description)
        self.error = error


@dataclass
class Login:
    """Somebody who logged in once. All refresh tokens that follow from it belong together."""

    user: str
    nonce: str | None = None
    is_over: bool = False


@dataclass
class Device:
    """A device that waits for somebody to log in elsewhere."""

    user_code: str
    asked_at: float = 0
    answer: Login | Refused | None = None


@dataclass
class Issuer:
    """`users` are the names of those who may log in, each with its tenant. The other fields may be changed at any time."""

    url: str
    client_id: str
    users: dict[str, str]
    callbacks: list[str]
    seconds_of_token: int = 3600
    seconds_of_code: int = 60
    seconds_between_polls: int = 1
    key: Key = field(default_factory=key)
    codes: dict = field(default_factory=dict)
    refresh_tokens: dict = field(default_factory=dict)
    devices: dict = field(default_factory=dict)

    def document(self):
        """OpenID Connect Discovery 1.0, and RFC 8414 for the endpoint of devices."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "device_authorization_endpoint": f"{self.url}/device_authorization",
            "revocation_endpoint": f"{self.url}/revoke",
            "jwks_uri": f"{self.url}/jwks.json",
            "scopes_supported": ["openid", "offline_access"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }

    def check(self, asked):
        """Refuses a request for authorization that may not even be answered by sending somebody back."""
        if asked.get("client_id") != self.client_id:
            raise Refused("invalid_client", f"There is no client {asked.get('client_id')}.")
        if asked.get("redirect_uri") not in self.callbacks:
            raise Refused("invalid_request", f"Nobody is sent back to {asked.get('redirect_uri')}.")

    def authorize(self, asked, user):
        """The code for what was asked, now that the user has logged in."""
        if asked.get("response_type") != "code":
            raise Refused("unsupported_response_type", "Only code is answered.")
        if "openid" not in asked.get("scope", "").split():
            raise Refused("invalid_scope", "Without openid there is no ID token.")
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            raise Refused("invalid_request", "A public client has to send a code_challenge, with S256.")
        code = secrets.token_urlsafe(24)
        self.codes[code] = (asked, self.login(user, asked.get("nonce")), time.monotonic() + self.seconds_of_code)
        return code

    def login(self, user, nonce=None):
        if user not in self.users:
            raise Refused("access_denied", f"Nobody is called {user}.")
        return Login(user, nonce)

    def begin_device(self, asked):
        if asked.get("client_id") != self.client_id:
            raise Refused("invalid_client", f"There is no client {asked.get('client_id')}.")
        code, device = secrets.token_urlsafe(24), Device(secrets.token_hex(4).upper())
        self.devices[code] = device
        return {
            "device_code": code,
            "user_code": device.user_code,
            "verification_uri": f"{self.url}/device",
            "verification_uri_complete": f"{self.url}/device?user_code={device.user_code}",
            "expires_in": 600,
            "interval": self.seconds_between_polls,
        }

    def answer_device(self, user_code, user):
        """Lets the device in as the user, or, without one, not at all."""
        device = next((device for device in self.devices.values() if device.user_code == user_code), None)
        if not device:
            raise Refused("invalid_request", f"No device shows {user_code}.")
        device.answer = self.login(user) if user else Refused("access_denied", "Somebody said no.")

    def token(self, asked):
        """What the token endpoint answers."""
        by_grant = {"authorization_code": self.of_code, "refresh_token": self.of_refresh_token, DEVICE_GRANT: self.of_device}
        grant = by_grant.get(asked.get("grant_type"))
        if not grant:
            raise Refused("unsupported_grant_type", f"There is no grant {asked.get('grant_type')}.")
        if asked.get("client_id") != self.client_id:
            raise Refused("invalid_client", f"There is no client {asked.get('client_id')}.")
        return self.tokens(grant(asked))

    def of_code(self, asked):
        """A code counts once, whatever comes of it."""
        authorized, login, until = self.codes.pop(asked.get("code"), (None, None, 0))
        if time.monotonic() > until:
            raise Refused("invalid_grant", "The code is unknown, used or expired.")
        if asked.get("redirect_uri") != authorized["redirect_uri"]:
            raise Refused("invalid_grant", "The code was sent to another address.")
        if challenge(asked.get("code_verifier", "")) != authorized["code_challenge"]:
            raise Refused("invalid_grant", "The code_verifier does not belong to the code_challenge.")
        return login

    def of_refresh_token(self, asked):
        """Each counts once. If one comes again, somebody has stolen it, and nobody knows who: the login is over (RFC 9700, 4.14.2)."""
        login, is_used = self.refresh_tokens.get(asked.get("refresh_token"), (None, False))
        if not login or login.is_over:
            raise Refused("invalid_grant", "The refresh token is unknown or revoked.")
        if is_used:
            login.is_over = True
            raise Refused("invalid_grant", "The refresh token was used before.")
        self.refresh_tokens[asked["refresh_token"]] = (login, True)
        return login

    def of_device(self, asked):
        device = self.devices.get(asked.get("device_code"))
        if not device:
            raise Refused("expired_token", "The device code is unknown, used or expired.")
        now = time.monotonic()
        too_soon, device.asked_at = now - device.asked_at < self.seconds_between_polls, now
        if isinstance(device.answer, Refused):
            raise device.answer
        if device.answer is None:
            raise Refused("slow_down" if too_soon else "authorization_pending", "Nobody has logged in yet.")
        del self.devices[asked["device_code"]]
        return device.answer

    def revoke(self, token):
        """An unknown token is no error (RFC 7009)."""
        if token in self.refresh_tokens:
            self.refresh_tokens[token][0].is_over = True

    def tokens(self, login):
        refresh_token = secrets.token_urlsafe(32)
        self.refresh_tokens[refresh_token] = (login, False)
        return {
            "token_type": "Bearer",
            "expires_in": self.seconds_of_token,
            "id_token": self.id_token(login),
            "access_token": secrets.token_urlsafe(32),
            "refresh_token": refresh_token,
        }

    def id_token(self, login):
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": self.client_id,
            "sub": f"sub-{login.user}",
            "email": f"{login.user}@example.com",
            "custom:tenant": self.users[login.user],
            "iat": now,
            "exp": now + self.seconds_of_token,
        }
        return self.key.signed(claims if login.nonce is None else {**claims, "nonce": login.nonce})


def challenge(verifier):
    """RFC 7636, S256."""
    return encoded(hashlib.sha256(verifier.encode()).digest())
