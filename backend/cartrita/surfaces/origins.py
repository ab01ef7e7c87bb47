"""Origin checks: peer address, Origin, Sec-Fetch-Site, Host and forwarding headers."""

import re
from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection

from cartrita.domain.errors import Forbidden
from cartrita.surfaces.services import config_of

_LOOPBACK_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]*)?", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{0,5})?", re.ASCII | re.IGNORECASE)
_PAGE_SCHEMES = {"ws": "http", "wss": "https"}
_FORWARDING_HEADERS = frozenset({"forwarded", "x-real-ip", "via"})


def own_origin(connection: HTTPConnection) -> str:
    """The origin of this server's pages, as this request addresses the server."""
    scheme = connection.scope["scheme"]
    return f"{_PAGE_SCHEMES.get(scheme, scheme)}://{connection.headers.get('host', '')}"


def origin_of(connection: HTTPConnection) -> str:
    """The origin of a request.

    Browsers omit Origin in same-origin GETs and programs omit it always; both count as our own
    origin, unless Sec-Fetch-Site names another site.
    """
    origin = _told_origin(connection)
    if origin is not None:
        return origin
    if connection.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return own_origin(connection)
    return "null"


def is_allowed(connection: HTTPConnection, origin: str) -> bool:
    """Whether pages of this origin may send requests with credentials."""
    return origin == own_origin(connection) or origin in config_of(connection).cors_origins


def require_local_caller(connection: HTTPConnection) -> None:
    """Accept only callers on this machine. Used when no API key is required.

    Forwarding headers reveal a local proxy that would let remote callers in, Origin and
    Sec-Fetch-Site reveal pages of other sites, and Host reveals DNS rebinding. Raises Forbidden.
    """
    if not _is_from_loopback(connection) or _is_forwarded(connection):
        raise Forbidden(
            "Without keys this server answers callers on its own machine only, and none that a "
            "proxy brings: use CARTRITA_AUTH=keys."
        )
    if not _is_asked_as_loopback(connection):
        raise Forbidden(
            "Without keys this server answers to localhost only: open it as http://localhost.",
            code="forbidden_host",
        )
    require_no_other_origin(connection)


def is_local(connection: HTTPConnection) -> bool:
    """Whether the server can be reached from this machine only, and no proxy brings the request."""
    if not config_of(connection).loopback:
        return False
    return _is_from_loopback(connection) and not _is_forwarded(connection)


def require_host(connection: HTTPConnection) -> None:
    """Require one header Host that names a host, from which our own origin is told."""
    hosts = connection.headers.getlist("host")
    if len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None:
        raise Forbidden(
            "The header Host does not name a host: open this server by its name or address.",
            code="forbidden_host",
        )


def require_own_page(connection: HTTPConnection) -> None:
    """Require the Origin of an allowed page. Raises Forbidden.

    Browsers send the cookie with other pages' requests too, because SameSite ignores ports.
    """
    if not is_allowed(connection, _told_origin(connection) or "null"):
        raise _forbidden_origin()


def require_no_other_origin(connection: HTTPConnection) -> None:
    """Reject requests of pages of other origins, which must not sign anybody in."""
    if not is_allowed(connection, origin_of(connection)):
        raise _forbidden_origin()


def require_event_source(connection: HTTPConnection) -> None:
    """Require that a GET with a cookie is an EventSource of an allowed page. Raises Forbidden."""
    if "text/event-stream" not in connection.headers.get("accept", ""):
        raise Forbidden(
            "With a session cookie this address answers event streams only: "
            "send Accept: text/event-stream, or POST.",
            code="forbidden_accept",
        )
    if _told_origin(connection) is None:
        if connection.headers.get("sec-fetch-site") == "same-origin":
            return
        raise _forbidden_origin()
    require_own_page(connection)


def _is_from_loopback(connection: HTTPConnection) -> bool:
    if connection.client is None:
        return False
    try:
        peer = ip_address(connection.client.host)
    except ValueError:
        return False
    inner = peer.ipv4_mapped if isinstance(peer, IPv6Address) else None
    return (inner or peer).is_loopback


def _is_forwarded(connection: HTTPConnection) -> bool:
    names = (name.lower() for name in connection.headers)
    return any(name in _FORWARDING_HEADERS or name.startswith("x-forwarded-") for name in names)


def _is_asked_as_loopback(connection: HTTPConnection) -> bool:
    hosts = connection.headers.getlist("host")
    return len(hosts) == 1 and _LOOPBACK_HOST.fullmatch(hosts[0]) is not None


def _told_origin(connection: HTTPConnection) -> str | None:
    """The header Origin; `null`, which is never allowed, for several, which no browser sends."""
    origins = connection.headers.getlist("origin")
    return "null" if len(origins) > 1 else next(iter(origins), None)


def _forbidden_origin() -> Forbidden:
    return Forbidden(
        "Pages of another origin may not do this: list theirs in CARTRITA_CORS_ORIGINS, "
        "or send an API key.",
        code="forbidden_origin",
    )
