"""Login sessions: a browser's sign-in, kept in a signed cookie.

A login session has no row; it names the API key that opened it and ends with that key.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime

import msgspec

from cartrita.application.access.authentication import KeyAuthentication
from cartrita.domain.api_keys import ActiveKey
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
        keys: KeyAuthentication,
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
        key = await self._keys.active(principal.owner_id, principal.key_id)
        if key is None:
            raise _session_ended()
        binding = self._key_binding(key)
        expires = self._now().timestamp() + self._session_s
        claims = _encode_claims(_Claims(principal.owner_id, principal.key_id, expires, binding))
        return f"{claims}.{self._signature(claims)}"

    async def authenticate(self, cookie: str) -> Principal:
        """The principal of a session whose key is still active."""
        claims = self._verified_claims(cookie)
        if claims is None or claims.expires <= self._now().timestamp():
            raise _session_ended()
        key = await self._keys.active(claims.owner_id, claims.key_id)
        if key is None or not hmac.compare_digest(self._key_binding(key), claims.key_binding):
            raise _session_ended()
        return key.principal

    def _key_binding(self, key: ActiveKey) -> str:
        return hmac.digest(self._signing_key, key.digest, "sha256").hex()

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
