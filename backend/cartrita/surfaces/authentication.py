"""Who calls: the one function that every endpoint asks first, whatever carries the credential."""

from contextlib import suppress
from enum import StrEnum

import msgspec
from starlette.requests import HTTPConnection

from cartrita.application.api_keys import LOOPBACK_ID
from cartrita.domain.errors import Malformed, Unauthenticated
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.domain.tickets import Ticket
from cartrita.surfaces.origins import origin_of, require_local_caller, require_own_page
from cartrita.surfaces.services import rules_of, services_of

SESSION_COOKIE = "cartrita_session"
LOCAL = Principal(owner_id=LOCAL_OWNER, key_id=LOOPBACK_ID)
"""The person at this machine, where no key is asked for."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY_NAMES = frozenset(
    {"apikey", "xapikey", "key", "token", "accesstoken", "authorization", "bearer", "secret"}
)


class Means(StrEnum):
    """What carried the credential."""

    KEY = "key"
    TICKET = "ticket"
    COOKIE = "cookie"
    LOOPBACK = "loopback"


class Caller(msgspec.Struct, frozen=True):
    """An authenticated caller, and how it showed who it is."""

    principal: Principal
    means: Means
    ticket: Ticket | None = None


async def authenticate(connection: HTTPConnection, *, ticket: str | None = None) -> Caller:
    """Find out who calls.

    A key (X-API-Key or Authorization: Bearer) and a stream ticket are shown on purpose; a cookie
    comes along by itself and counts only where neither is there. Raises Malformed for two
    different credentials and for a key in the URL, Forbidden for pages of others, and
    Unauthenticated, always alike, for everything that is not known.
    """
    _refuse_key_in_query(connection)
    key = _only([*_keys(connection), *([ticket] if ticket else [])])
    services = services_of(connection)
    if ticket:
        spent = await _spend(connection, ticket)
        return Caller(spent.principal, Means.TICKET, spent)
    if key:
        return Caller(await services.keys.authenticate(key), Means.KEY)
    if rules_of(connection).keyless:
        require_local_caller(connection)
        return Caller(LOCAL, Means.LOOPBACK)
    cookie = connection.cookies.get(SESSION_COOKIE)
    if not cookie:
        raise Unauthenticated(
            "Send your API key as X-API-Key or as Authorization: Bearer, or sign in."
        )
    principal = await services.sessions.authenticate(cookie)
    if connection.scope.get("method", "GET") not in _SAFE:
        require_own_page(connection)
    return Caller(principal, Means.COOKIE)


async def _spend(connection: HTTPConnection, ticket: str) -> Ticket:
    """A fresh ticket, or a spent one whose reader comes back to what it started."""
    sessions = services_of(connection).sessions
    origin = origin_of(connection)
    if not connection.headers.get("last-event-id"):
        with suppress(Unauthenticated):
            return await sessions.use_ticket(ticket, origin)
    return await sessions.resume_ticket(ticket, origin)


def _keys(connection: HTTPConnection) -> list[str]:
    found = connection.headers.getlist("x-api-key")
    for value in connection.headers.getlist("authorization"):
        scheme, _, credential = value.partition(" ")
        if scheme.lower() != "bearer":
            raise Malformed("Send Authorization as: Bearer, a space, your API key.")
        found.append(credential)
    return [key for value in found if (key := value.strip())]


def _only(credentials: list[str]) -> str | None:
    if len(set(credentials)) > 1:
        raise Malformed("Two different credentials were sent: send one.", code="two_credentials")
    return credentials[0] if credentials else None


def _refuse_key_in_query(connection: HTTPConnection) -> None:
    for name, value in connection.query_params.multi_items():
        if value and name.lower().replace("_", "").replace("-", "") in _KEY_NAMES:
            raise Malformed(
                "A key in a URL ends up in logs and histories: send it as X-API-Key, or sign in at "
                "POST /api/session, or ask POST /api/stream-tickets for a ticket.",
                code="key_in_query",
            )
