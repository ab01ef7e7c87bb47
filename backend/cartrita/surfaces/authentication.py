"""Authentication of requests by API key, stream ticket, session cookie or local address."""

import re
from contextlib import suppress
from enum import StrEnum

import msgspec
from msgspec.structs import replace
from starlette.requests import HTTPConnection

from cartrita.application.keys.kinds import Bringing
from cartrita.application.keys.own_keys import LOOPBACK_ID
from cartrita.domain.errors import Malformed, Unauthenticated
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.domain.tickets import Ticket
from cartrita.surfaces.inbound_limits import NoCredential, inbound_limits_of
from cartrita.surfaces.origins import is_local, origin_of, require_local_caller, require_own_page
from cartrita.surfaces.repeated_headers import refuse_differing_headers
from cartrita.surfaces.services import config_of, services_of
from cartrita.surfaces.upstream_headers import PROVIDER_HEADER

SESSION_COOKIE = "cartrita_session"
LOCAL_PRINCIPAL = Principal(LOCAL_OWNER, LOOPBACK_ID, admin=True)
"""The principal of local callers when no API key is required."""

_TRACE = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SPEECH_PREFIX = "/api/voice/"
_SPEECH_PATHS = frozenset({"/api/voice", "/api/chat/voice", "/ws/voice"})
_KEY_PARAMETERS = frozenset(
    {"apikey", "xapikey", "key", "token", "accesstoken", "authorization", "bearer", "secret"}
)


class AuthenticationMethod(StrEnum):
    """How a caller authenticated."""

    KEY = "key"
    TICKET = "ticket"
    COOKIE = "cookie"
    LOOPBACK = "loopback"


class Caller(msgspec.Struct, frozen=True):
    """An authenticated caller, and how it authenticated."""

    principal: Principal
    authenticated_by: AuthenticationMethod
    ticket: Ticket | None = None


async def authenticate(connection: HTTPConnection, *, ticket: str | None = None) -> Caller:
    """Authenticate the caller of a request.

    A key (X-API-Key or Authorization: Bearer) and a stream ticket are sent deliberately; a cookie
    is sent by the browser and is used only if neither is present. Where no key is required, a text
    that cannot be a key of this server is none: the vendors' SDKs always send one. Raises Malformed
    for two different credentials or values of another header, and for a key in the URL, Forbidden
    for pages of other origins, and the same Unauthenticated for every unknown credential. Raises
    RateLimited where too many came from the address of the caller, or for its key.
    """
    limits = inbound_limits_of(connection)
    try:
        caller = await _find_caller(connection, ticket)
    except Unauthenticated as error:
        limits.count_failure(connection, error)
        raise
    limits.count_key(connection.scope, caller.principal)
    if caller.principal.key_id in config_of(connection).tracing_keys:
        return _with_trace(caller, connection)
    return caller


def _with_trace(caller: Caller, connection: HTTPConnection) -> Caller:
    """The caller with the trace that it asks in; another form of it is ignored, as W3C has it."""
    told = connection.headers.get("traceparent", "")
    if not _TRACE.fullmatch(told):
        return caller
    return replace(caller, principal=replace(caller.principal, caller_trace=told))


async def _find_caller(connection: HTTPConnection, ticket: str | None) -> Caller:
    refuse_differing_headers(connection.scope)
    services = services_of(connection)
    keys = [*_keys(connection), *keys_in_query(connection)]
    if config_of(connection).keyless:
        keys = [key for key in keys if services.key_authentication.may_be_own(key)]
    key = _single([*keys, *([ticket] if ticket else [])])
    if inbound_limits_of(connection).failing(connection):
        _require_known(connection, ticket, key)
    if ticket:
        used = await _use_ticket(connection, ticket)
        return Caller(used.principal, AuthenticationMethod.TICKET, used)
    if key:
        return Caller(await authenticate_key(connection, key), AuthenticationMethod.KEY)
    if config_of(connection).keyless:
        require_local_caller(connection)
        return Caller(LOCAL_PRINCIPAL, AuthenticationMethod.LOOPBACK)
    cookie = connection.cookies.get(SESSION_COOKIE)
    if not cookie:
        raise NoCredential(
            "Send your API key as X-API-Key or as Authorization: Bearer, or sign in."
        )
    principal = await services.login_sessions.authenticate(cookie)
    if connection.scope.get("method", "GET") not in _SAFE_METHODS:
        require_own_page(connection)
    return Caller(principal, AuthenticationMethod.COOKIE)


async def authenticate_key(
    connection: HTTPConnection, key: str, *, provider: str | None = None
) -> Principal:
    """The principal of a key: one of ours, or a provider's where its callers may bring those.

    `provider` is whose it is, where the request has another place for that than a header. Raises
    the same Unauthenticated for every unknown key, and UpstreamError where a provider cannot be
    asked about its own.
    """
    keys = services_of(connection).key_authentication
    return await keys.authenticate(key, _bringing(connection, key, provider))


def is_known_key(connection: HTTPConnection, key: str, *, provider: str | None = None) -> bool:
    """Whether a key is known to be valid without asking anybody."""
    keys = services_of(connection).key_authentication
    return keys.recognises(key, _bringing(connection, key, provider))


def _bringing(connection: HTTPConnection, key: str, provider: str | None) -> Bringing | None:
    """How a provider's key is brought; None for one of ours, and where the caller may bring none.

    An EventSource says in its query whose it is.
    """
    if services_of(connection).key_authentication.may_be_own(key):
        return None
    byok, local = config_of(connection).byok, is_local(connection)
    if byok != "on" and not (byok == "loopback" and local):
        return None
    told = connection.headers.get(PROVIDER_HEADER) or connection.query_params.get("provider")
    return Bringing(provider or told or None, local, _usual_provider(connection.scope["path"]))


def _usual_provider(path: str) -> str | None:
    """The provider that a route calls where its keys have no shape that tells whose they are."""
    of_speech = path.startswith(_SPEECH_PREFIX) or path in _SPEECH_PATHS
    return "deepgram" if of_speech else None


def _require_known(connection: HTTPConnection, ticket: str | None, key: str | None) -> None:
    """Refuse what would have to be looked up; a cookie is signed, and no guess passes for one."""
    if ticket or (key and not is_known_key(connection, key)):
        inbound_limits_of(connection).require_few_failures(connection)


async def _use_ticket(connection: HTTPConnection, ticket: str) -> Ticket:
    """Use a ticket, or accept a used one from a reader that resumes its stream.

    A WebSocket can do all that its principal can, so that it takes no used one.
    """
    tickets = services_of(connection).tickets
    origin = origin_of(connection)
    if connection.scope["type"] == "websocket":
        return await tickets.use_stream_ticket(ticket, origin)
    if not connection.headers.get("last-event-id"):
        with suppress(Unauthenticated):
            return await tickets.use_stream_ticket(ticket, origin)
    return await tickets.resume_stream_ticket(ticket, origin)


def _keys(connection: HTTPConnection) -> list[str]:
    found: list[str] = []
    for name, raw in connection.scope["headers"]:  # each name is in lower case, as ASGI has it
        if name == b"x-api-key":
            found.append(raw.decode("latin-1"))
        elif name == b"authorization":
            scheme, _, credential = raw.decode("latin-1").partition(" ")
            if scheme.lower() != "bearer":
                raise Malformed("Send Authorization as: Bearer, a space, your API key.")
            found.append(credential)
    return [key for value in found if (key := value.strip(" \t"))]


def _single(credentials: list[str]) -> str | None:
    if len(set(credentials)) > 1:
        raise Malformed("Two different credentials were sent: send one.", code="two_credentials")
    return credentials[0] if credentials else None


def keys_in_query(connection: HTTPConnection) -> list[str]:
    """The keys in the URL. Raises Malformed for one that may not be there."""
    if not connection.scope.get("query_string"):
        return []
    found = [
        value
        for name, value in connection.query_params.multi_items()
        if value and name.lower().replace("_", "").replace("-", "") in _KEY_PARAMETERS
    ]
    if found and not (config_of(connection).legacy_query_keys and is_local(connection)):
        raise Malformed(
            "A key in a URL ends up in logs and histories: send it as X-API-Key, or sign in at "
            "POST /api/session, or ask POST /api/stream-tickets for a ticket.",
            code="key_in_query",
        )
    return found
