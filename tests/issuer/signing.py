"""ID tokens: JSON web tokens that are signed with RS256, and the public key that shows it."""

import base64
import json
import secrets
from dataclasses import dataclass
from functools import cache

import rsa

BITS = 2048
SMALL_PRIMES = [number for number in range(3, 2000, 2) if all(number % other for other in range(3, number, 2))]


@cache
def key():
    """Making one takes a second, so all issuers of a process have the same."""
    p, q = prime(), prime()
    e, d = rsa.key.calculate_keys(p, q)
    return Key(secrets.token_hex(4), rsa.PublicKey(p * q, e), rsa.PrivateKey(p * q, e, d, p, q))


def prime():
    """The library's own search takes ten times as long, because it divides by no small primes first. Two such make a number of all bits."""
    while True:
        number = secrets.randbits(BITS // 2) | 3 << BITS // 2 - 2 | 1
        if all(number % small for small in SMALL_PRIMES) and rsa.prime.is_prime(number):
            return number


@dataclass
class Key:
    id: str
    public: rsa.PublicKey
    private: rsa.PrivateKey

    def signed(self, claims):
        text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": self.id}, claims))
        return f"{text}.{encoded(rsa.sign(text.encode(), self.private, 'SHA-256'))}"

    def shown(self):
        """As a JSON web key (RFC 7517)."""
        numbers = {"n": number(self.public.n), "e": number(self.public.e)}
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, **numbers}


def number(value):
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encoded(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
