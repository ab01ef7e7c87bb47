"""Credentials that stand in for an API key: login sessions, sign-in codes and stream tickets.

A login session is a signed cookie and has no row; it names its API key and ends with it. Codes and
tickets are single-use secrets that are stored as hashes.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from secrets import token_hex, token_urlsafe
from typing import TypeAlias

import msgspec

from cartrita.application.api_keys import ApiKeys
from cartrita.domain.errors import Unauthenticated
from cartrita.domain.ids import RunId
from cartrita.domain.ports.access import TicketStore
from cartrita.domain.principals import Principal
from cartrita.domain.tickets import Ticket
from cartrita.kit import clock
from cartrita.kit.secret import Secret

SIGN_IN = "sign_in"
STREAM = "stream"
RESUME_WINDOW = timedelta(minutes=10)
"""How long after the end of its run a ticket can resume the run's stream."""

FindTicketRun: TypeAlias = Callable[[Ticket], Awaitable[tuple[RunId, datetime | None] | None]]
"""Finds the run that a ticket started, and the time when that run ended."""


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    """The claims in a cookie; `key_binding` is derived from the key, so it ends with the key."""

    owner_id: str
    key_id: str
    expires: float
    key_binding: str


class Sessions:
    """Issues and verifies sessions, codes and tickets.

    Raises Unauthenticated for invalid ones, with one message per kind whatever the cause.
    """

    def __init__(
        self,
        tickets: TicketStore,
        keys: ApiKeys,
        signing_key: Secret,
        find_run: FindTicketRun,
        *,
        session_s: float = 43_200.0,
        ticket_s: float = 60.0,
        sign_in_code_s: float = 600.0,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._tickets = tickets
        self._keys = keys
        self._signing_key = signing_key.reveal().encode()
        self._find_run = find_run
        self._session_s = session_s
        self._ticket_s = ticket_s
        self._sign_in_code_s = sign_in_code_s
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

    async def issue_code(self, principal: Principal) -> Secret:
        """A sign-in code, for the link that signs a browser in."""
        return await self._issue(SIGN_IN, principal, self._sign_in_code_s)

    async def redeem_code(self, code: str) -> Principal:
        """The principal that a sign-in code signs in. A code works once."""
        ticket = await self._tickets.use(_digest(code), SIGN_IN)
        if ticket is None or await self._keys.active_digest(ticket.principal) is None:
            raise Unauthenticated(
                "This sign-in link was used already or is too old: "
                "get another with `cartrita login`."
            )
        return ticket.principal

    async def issue_ticket(self, principal: Principal, origin: str | None) -> Secret:
        """A ticket for one event stream, opened by a page of this origin."""
        return await self._issue(
            STREAM,
            principal,
            self._ticket_s,
            origin=origin,
            client_msg_id=f"ticket_{token_hex(16)}",
        )

    async def use_ticket(self, ticket: str, origin: str | None) -> Ticket:
        """Use a ticket up. A wrong origin uses it up too, because the ticket has leaked."""
        found = await self._tickets.use(_digest(ticket), STREAM)
        return await self._validated(found, origin)

    async def resume_ticket(self, ticket: str, origin: str | None) -> Ticket:
        """A used ticket, accepted until `RESUME_WINDOW` after the end of its run."""
        found = await self._tickets.used(_digest(ticket), STREAM)
        held = await self._validated(found, origin)
        started = await self._find_run(held)
        if started is None:
            raise _invalid_ticket()
        _, ended_at = started
        if ended_at is not None and ended_at + RESUME_WINDOW <= self._now():
            raise _invalid_ticket()
        return held

    async def run_started_by(self, ticket: Ticket) -> RunId | None:
        """The run that a ticket started, the only one that it can resume; None if it has none."""
        started = await self._find_run(ticket)
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

    async def _validated(self, ticket: Ticket | None, origin: str | None) -> Ticket:
        if ticket is None or ticket.origin != origin:
            raise _invalid_ticket()
        if await self._keys.active_digest(ticket.principal) is None:
            raise _invalid_ticket()
        return ticket

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


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _session_ended() -> Unauthenticated:
    return Unauthenticated("Your session has ended: sign in again.")


def _invalid_ticket() -> Unauthenticated:
    return Unauthenticated("This ticket was used already or is too old: ask for another.")
