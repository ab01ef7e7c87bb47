"""Tickets: single-use secrets for signing in and for opening event streams; stored as hashes."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from secrets import token_hex, token_urlsafe
from typing import TypeAlias

from msgspec.structs import replace

from cartrita.application.access.authentication import KeyAuthentication
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


class Tickets:
    """Issues and redeems sign-in codes and stream tickets. Both end with their API key.

    Raises Unauthenticated for invalid ones, with one message per kind whatever the cause.
    """

    def __init__(
        self,
        store: TicketStore,
        keys: KeyAuthentication,
        find_run: FindTicketRun,
        *,
        ticket_s: float = 60.0,
        sign_in_code_s: float = 600.0,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._store = store
        self._keys = keys
        self._find_run = find_run
        self._ticket_s = ticket_s
        self._sign_in_code_s = sign_in_code_s
        self._now = now

    async def issue_sign_in_code(self, principal: Principal) -> Secret:
        """A sign-in code, for the link that signs a browser in."""
        return await self._issue(SIGN_IN, principal, self._sign_in_code_s)

    async def use_sign_in_code(self, code: str) -> Principal:
        """The principal that a sign-in code signs in. A code works once."""
        ticket = await self._looked_up(await self._store.use(_digest(code), SIGN_IN))
        if ticket is None:
            raise Unauthenticated(
                "This sign-in link was used already or is too old: "
                "get another with `cartrita login`."
            )
        return ticket.principal

    async def issue_stream_ticket(self, principal: Principal, origin: str | None) -> Secret:
        """A ticket for one event stream, opened by a page of this origin."""
        return await self._issue(
            STREAM,
            principal,
            self._ticket_s,
            origin=origin,
            client_msg_id=f"ticket_{token_hex(16)}",
        )

    async def use_stream_ticket(self, ticket: str, origin: str | None) -> Ticket:
        """Use a ticket up. A wrong origin uses it up too, because the ticket has leaked."""
        found = await self._store.use(_digest(ticket), STREAM)
        return await self._validated(found, origin)

    async def resume_stream_ticket(self, ticket: str, origin: str | None) -> Ticket:
        """A used ticket, accepted until `RESUME_WINDOW` after the end of its run."""
        found = await self._store.used(_digest(ticket), STREAM)
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
        await self._store.add(_digest(secret), ticket)
        return Secret(secret)

    async def _validated(self, ticket: Ticket | None, origin: str | None) -> Ticket:
        ticket = await self._looked_up(ticket)
        if ticket is None or ticket.origin != origin:
            raise _invalid_ticket()
        return ticket

    async def _looked_up(self, ticket: Ticket | None) -> Ticket | None:
        """The ticket with its principal as it is now; None if its key does not work any more."""
        if ticket is None:
            return None
        stored = ticket.principal
        key = await self._keys.active(stored.owner_id, stored.key_id)
        return None if key is None else replace(ticket, principal=key.principal)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _invalid_ticket() -> Unauthenticated:
    return Unauthenticated("This ticket was used already or is too old: ask for another.")
