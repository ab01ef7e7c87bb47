"""Login sessions: a browser's sign-in, kept in a signed cookie.

A login session has no row; it names the API key that opened it and ends with that key.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime

import msgspec

from cartrita.application.api_keys import ApiKeys
from cartrita.domain.errors import Unauthenticated
from cartrita.domain.principals import Principal
from cartrita.kit import clock
from cartrita.kit.secret import Secret


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    """The claims in a cookie; `key_binding` is derived from the key, so it ends with the key."""

    owner_id: str
    key_id: str
    expires: float
    key_binding: str


class LoginSessions:
    """Opens and verifies login sessions.

    Raises Unauthenticated for invalid ones, with the same message whatever the cause.
    """

    def __init__(
        self,
        keys: ApiKeys,
        signing_key: Secret,
        *,
        session_s: float = 43_200.0,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._keys = keys
        self._signing_key = signing_key.reveal().encode()
        self._session_s = session_s
        self._now = now

    async def open(self, principal: Principal) -> str:
        """Open a login session. Returns its cookie value, which needs no quoting."""
        binding = await self._key_binding(principal)
        if binding is None:
            raise _session_ended()
        expires = self._now().timestamp() + self._session_s
        claims = _encode_claims(_Claims(principal.owner_id, principal.key_id, expires, binding))
        return f"{claims}.{self._signature(claims)}"

    async def authenticate(self, cookie: str) -> Principal:
        """The principal of a session whose key is still active."""
        claims = self._verified_claims(cookie)
        if claims is None or claims.expires <= self._now().timestamp():
            raise _session_ended()
        principal = Principal(claims.owner_id, claims.key_id)
        binding = await self._key_binding(principal)
        if binding is None or not hmac.compare_digest(binding, claims.key_binding):
            raise _session_ended()
        return principal

    async def _key_binding(self, principal: Principal) -> str | None:
        digest = await self._keys.active_digest(principal)
        return None if digest is None else hmac.digest(self._signing_key, digest, "sha256").hex()

    def _verified_claims(self, cookie: str) -> _Claims | None:
        """The claims of a cookie; None if its signature is wrong. Verifies before decoding."""
        claims, _, signature = cookie.partition(".")
        expected = self._signature(claims).encode()
        if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected):
            return None
        return _decode_claims(claims)

    def _signature(self, claims: str) -> str:
        octets = b"session:" + claims.encode("utf-8", "surrogatepass")
        return hmac.digest(self._signing_key, octets, "sha256").hex()


def _encode_claims(claims: _Claims) -> str:
    return urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")


def _decode_claims(claims: str) -> _Claims:
    return msgspec.json.decode(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)), type=_Claims)


def _session_ended() -> Unauthenticated:
    return Unauthenticated("Your session has ended: sign in again.")
