"""Checks what hooknotary serve says about a request, with the standard library alone.

Each check raises Refused if it does not hold. The standard library has no public key
signatures: for ES256 take a library, such as PyJWT.
"""

import base64
import hashlib
import hmac
import json
import threading
import time

LEEWAY = 30  # seconds, for clocks that differ


class Refused(Exception):
    pass


class Assertion:
    """The gateway's assertion, signed with the secret of assert.secret (HS256).

    issuer is assertion.issuer of the gateway's file, audience is assert.audience of the route.
    """

    def __init__(self, secret: str, issuer: str, audience: str):
        if len(secret.encode()) < 32 or not issuer or not audience:
            raise ValueError("want a secret of at least 32 bytes, an issuer and an audience")
        self.secret, self.issuer, self.audience = secret.encode(), issuer, audience
        self.used = {}  # jti, and when it is over
        self.lock = threading.Lock()

    def check(self, token: str, body: bytes) -> dict:
        """Returns the claims."""
        try:
            head, claims, signature = token.split(".")
            expected = hmac.new(self.secret, f"{head}.{claims}".encode(), hashlib.sha256).digest()
            if not hmac.compare_digest(encode(expected), signature):
                raise Refused("another signature")
            head, claims = json.loads(decode(head)), json.loads(decode(claims))
            if head["alg"] != "HS256" or head["typ"] != "hooknotary+jwt":
                raise Refused("another kind of token")
            if claims["iss"] != self.issuer or claims["aud"] != self.audience:
                raise Refused("for another receiver")
            now = time.time()
            if not claims["iat"] - LEEWAY <= now <= claims["exp"] + LEEWAY:
                raise Refused("too old or too new")
            if claims["body_sha256"] != encode(hashlib.sha256(body).digest()):  # no secret
                raise Refused("another body")
            self.once(claims["jti"], claims["exp"] + LEEWAY, now)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("no assertion") from error
        return claims

    def once(self, jti: str, over: float, now: float) -> None:
        """Takes each token once: whoever saw the request on its way cannot send it again."""
        with self.lock:
            for oldest in [k for k, v in self.used.items() if v < now]:
                del self.used[oldest]
            if jti in self.used:
                raise Refused("the token was used before")
            self.used[jti] = over


class StandardWebhook:
    """A webhook as Standard Webhooks sign it, with the secret of resign.standard_webhooks."""

    TOLERANCE = 300  # seconds

    def __init__(self, secret: str):
        self.secret = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        if len(self.secret) < 24:
            raise ValueError("want a secret of at least 24 bytes")

    def check(self, headers, body: bytes) -> str:
        """Returns the id, which is the same in every attempt."""
        try:
            id, at = headers["webhook-id"], headers["webhook-timestamp"]
            signed = f"{id}.{at}.".encode() + body
            mac = hmac.new(self.secret, signed, hashlib.sha256).digest()
            expected = "v1," + base64.b64encode(mac).decode()
            if not any(hmac.compare_digest(expected, s) for s in headers["webhook-signature"].split(" ")):
                raise Refused("another signature")
            if abs(time.time() - int(at)) > self.TOLERANCE:
                raise Refused("too old or too new")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("no signature") from error
        return id


def encode(data: bytes) -> str:
    """Writes base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
