"""What stands in for a key: login sessions, sign-in codes, stream tickets.

A session is a signed cookie, not a row: it names its key, and ends with it. Codes and tickets are
single-use secrets, stored as hashes.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from secrets import token_hex, token_urlsafe
from typing import TypeAlias

import msgspec

from cartrita.application.keys import Keys
from cartrita.domain.errors import Unauthenticated
from cartrita.domain.ports import TicketStore
from cartrita.domain.principals import Principal
from cartrita.domain.tickets import Ticket
from cartrita.kit import clock
from cartrita.kit.ids import RunId
from cartrita.kit.secret import Secret

SIGN_IN = "sign_in"
STREAM = "stream"
RESUMABLE = timedelta(minutes=10)
"""How long after its run's end a ticket still resumes it."""

FindStarted: TypeAlias = Callable[[Ticket], Awaitable[tuple[RunId, datetime | None] | None]]
"""The run that a ticket started, and when it ended."""


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    """What a cookie says; `tie` changes when the key does, so that it ends with it."""

    owner_id: str
    key_id: str
    expires: float
    tie: str


class Sessions:
    """Raises Unauthenticated for everything that does not hold, alike within each kind."""

    def __init__(
        self,
        tickets: TicketStore,
        keys: Keys,
        signing_key: Secret,
        started: FindStarted,
        *,
        session_s: float = 43_200.0,
        ticket_s: float = 60.0,
        sign_in_code_s: float = 600.0,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._tickets = tickets
        self._keys = keys
        self._signing_key = signing_key.reveal().encode()
        self._started = started
        self._session_s = session_s
        self._ticket_s = ticket_s
        self._sign_in_code_s = sign_in_code_s
        self._now = now

    async def open(self, principal: Principal) -> str:
        """A cookie's value: text without characters that a cookie could not hold."""
        tie = await self._tie(principal)
        if tie is None:
            raise _signed_out()
        expires = self._now().timestamp() + self._session_s
        claims = _encoded(_Claims(principal.owner_id, principal.key_id, expires, tie))
        return f"{claims}.{self._signature(claims)}"

    async def resume(self, cookie: str) -> Principal:
        """Who opened the session, while the key that it was opened with works."""
        claims = self._claims(cookie)
        if claims is None or claims.expires <= self._now().timestamp():
            raise _signed_out()
        principal = Principal(claims.owner_id, claims.key_id)
        tie = await self._tie(principal)
        if tie is None or not hmac.compare_digest(tie, claims.tie):
            raise _signed_out()
        return principal

    async def issue_code(self, principal: Principal) -> Secret:
        """For the link that signs a browser in."""
        return await self._issue(SIGN_IN, principal, self._sign_in_code_s)

    async def swap_code(self, code: str) -> Principal:
        """Whom a code signs in, once."""
        ticket = await self._tickets.use(_digest(code), SIGN_IN)
        if ticket is None or await self._keys.standing(ticket.principal) is None:
            raise Unauthenticated(
                "This sign-in link was used already or is too old: "
                "get another with `cartrita login`."
            )
        return ticket.principal

    async def issue_ticket(self, principal: Principal, origin: str | None) -> Secret:
        """For one stream, opened by a page of this origin, which cannot send a key with it."""
        return await self._issue(
            STREAM,
            principal,
            self._ticket_s,
            origin=origin,
            client_msg_id=f"ticket_{token_hex(16)}",
        )

    async def use_ticket(self, ticket: str, origin: str | None) -> Ticket:
        """Spend it, also when another origin tries: it has leaked then."""
        found = await self._tickets.use(_digest(ticket), STREAM)
        return await self._checked(found, origin)

    async def resume_ticket(self, ticket: str, origin: str | None) -> Ticket:
        """A spent ticket, for the run that it started until ten minutes after that run's end."""
        found = await self._tickets.used(_digest(ticket), STREAM)
        held = await self._checked(found, origin)
        started = await self._started(held)
        if started is None:
            raise _no_ticket()
        _, ended_at = started
        if ended_at is not None and ended_at + RESUMABLE <= self._now():
            raise _no_ticket()
        return held

    async def run_of(self, ticket: Ticket) -> RunId | None:
        """The one run that a ticket may resume; None where it has started none."""
        started = await self._started(ticket)
        return None if started is None else started[0]

    async def _issue(
        self,
        kind: str,
        principal: Principal,
        seconds: float,
        *,
        origin: str | None = None,
        client_msg_id: str | None = None,
    ) -> Secret:
        secret = token_urlsafe(32)
        ticket = Ticket(
            kind=kind,
            principal=principal,
            expires_at=self._now() + timedelta(seconds=seconds),
            origin=origin,
            client_msg_id=client_msg_id,
        )
        await self._tickets.add(_digest(secret), ticket)
        return Secret(secret)

    async def _checked(self, ticket: Ticket | None, origin: str | None) -> Ticket:
        if ticket is None or ticket.origin != origin:
            raise _no_ticket()
        if await self._keys.standing(ticket.principal) is None:
            raise _no_ticket()
        return ticket

    async def _tie(self, principal: Principal) -> str | None:
        digest = await self._keys.standing(principal)
        return None if digest is None else hmac.digest(self._signing_key, digest, "sha256").hex()

    def _claims(self, cookie: str) -> _Claims | None:
        """What a cookie of ours says; nothing in it is read before its signature holds."""
        claims, _, signature = cookie.partition(".")
        expected = self._signature(claims).encode()
        if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected):
            return None
        return _decoded(claims)

    def _signature(self, claims: str) -> str:
        octets = b"session:" + claims.encode("utf-8", "surrogatepass")
        return hmac.digest(self._signing_key, octets, "sha256").hex()


def _encoded(claims: _Claims) -> str:
    return urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")


def _decoded(claims: str) -> _Claims:
    return msgspec.json.decode(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)), type=_Claims)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _signed_out() -> Unauthenticated:
    return Unauthenticated("Your session has ended: sign in again.")


def _no_ticket() -> Unauthenticated:
    return Unauthenticated("This ticket was used already or is too old: ask for another.")
