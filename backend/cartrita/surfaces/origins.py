"""Where a request comes from: its peer, and by its own word Origin, Sec-Fetch-Site and Host."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from cartrita.domain.errors import Forbidden
from cartrita.surfaces.services import rules_of

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDED = frozenset({"forwarded", "x-real-ip", "via"})


def own_origin(connection: HTTPConnection) -> str:
    """The origin of our own pages, as this caller addresses us."""
    return f"{connection.scope['scheme']}://{connection.headers.get('host', '')}"


def origin_of(connection: HTTPConnection) -> str:
    """Where the request was made.

    Browsers leave Origin out of a same-origin GET, and programs leave it out of everything: both
    count as ours, unless the browser says that another site asks.
    """
    origin = connection.headers.get("origin")
    if origin is not None:
        return origin
    if connection.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return own_origin(connection)
    return "null"


def allowed(connection: HTTPConnection, origin: str) -> bool:
    """Whether pages of this origin may act for the person in front of them."""
    return origin == own_origin(connection) or origin in rules_of(connection).cors_origins


def require_local_caller(connection: HTTPConnection) -> None:
    """Without keys, only the person at this machine may come in, and no page elsewhere for them.

    A proxy on this machine would bring strangers in: it shows in the headers it adds. A page's
    requests carry its Origin or Sec-Fetch-Site; a name of its own that it points at us (DNS
    rebinding) shows in Host.
    """
    if not _from_loopback(connection) or _forwarded(connection):
        raise Forbidden(
            "Without keys this server answers callers on its own machine only, and none that a "
            "proxy brings: use CARTRITA_AUTH=keys."
        )
    if _host_name(connection) not in _LOOPBACK:
        raise Forbidden(
            "Without keys this server answers to localhost only: open it as http://localhost.",
            code="forbidden_host",
        )
    require_no_foreign_page(connection)


def require_own_page(connection: HTTPConnection) -> None:
    """A cookie travels with other pages' requests too (SameSite knows no ports)."""
    if not allowed(connection, connection.headers.get("origin", "null")):
        raise _foreign()


def require_no_foreign_page(connection: HTTPConnection) -> None:
    """Signing in for somebody else is an attack too."""
    if not allowed(connection, origin_of(connection)):
        raise _foreign()


def require_event_source(connection: HTTPConnection) -> None:
    """A GET that starts work, asked for with a cookie, must be an event stream of our own page."""
    if "text/event-stream" not in connection.headers.get("accept", ""):
        raise Forbidden(
            "With a session cookie this address answers event streams only: "
            "send Accept: text/event-stream, or POST.",
            code="forbidden_accept",
        )
    if connection.headers.get("origin") is None:
        if connection.headers.get("sec-fetch-site") == "same-origin":
            return
        raise _foreign()
    require_own_page(connection)


def _from_loopback(connection: HTTPConnection) -> bool:
    if connection.client is None:
        return False
    try:
        peer = ip_address(connection.client.host)
    except ValueError:
        return False
    inner = peer.ipv4_mapped if isinstance(peer, IPv6Address) else None
    return (inner or peer).is_loopback


def _forwarded(connection: HTTPConnection) -> bool:
    names = (name.lower() for name in connection.headers)
    return any(name in _FORWARDED or name.startswith("x-forwarded-") for name in names)


def _host_name(connection: HTTPConnection) -> str | None:
    if len(connection.headers.getlist("host")) > 1:
        return None
    try:
        return urlsplit(own_origin(connection)).hostname
    except ValueError:
        return None


def _foreign() -> Forbidden:
    return Forbidden(
        "Pages of another origin may not do this: list theirs in CARTRITA_CORS_ORIGINS, "
        "or send an API key.",
        code="forbidden_origin",
    )
