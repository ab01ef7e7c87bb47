"""Reads requests for the hot paths: who calls, the bytes of the body, the headers that count."""

from collections.abc import Mapping

import msgspec
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import Receive

from cartrita.domain.errors import InvalidInput
from cartrita.domain.principals import Principal
from cartrita.domain.relays import CALLERS_HEADERS
from cartrita.gateway.calls import CacheWish
from cartrita.surfaces.authentication import AuthenticationMethod, authenticate
from cartrita.surfaces.inbound_limits import inbound_limits_of
from cartrita.surfaces.json_bodies import require_json_type

_LONGEST_CACHE_S = 30 * 86_400
_LONGEST_DIGITS = 20
_SWITCH = {"true": True, "1": True, "false": False, "0": False}
_PASSED_ON = {name.encode(): name for name in CALLERS_HEADERS}


class CallOptions(msgspec.Struct, frozen=True):
    """What a caller asks for in headers.

    `strict` refuses what cannot be translated exactly; `cache` allows an answer from the cache, and
    None leaves that to the route.
    """

    strict: bool = False
    cache: CacheWish | None = None


async def read_body(connection: HTTPConnection, receive: Receive) -> tuple[Principal, bytes]:
    """Authenticate the caller, count its request, and read its body of a JSON media type."""
    caller = await authenticate(connection)
    inbound_limits_of(connection).count_hot(connection.scope, caller.principal)
    body = await read_pieces(receive)
    cookie = caller.authenticated_by is AuthenticationMethod.COOKIE
    require_json_type(connection, allow_form_type=not cookie)
    return caller.principal, body


def headers_passed_on(connection: HTTPConnection) -> Mapping[str, str]:
    """The headers of a request that its provider may see.

    The values of a repeated list of betas are joined; of any other header the last one counts.
    """
    passed_on: dict[str, str] = {}
    for name, raw in connection.scope["headers"]:
        if name in _PASSED_ON:
            value = raw.decode("latin-1")
            known = passed_on.get(_PASSED_ON[name])
            joined = known is not None and name.endswith(b"-beta")
            passed_on[_PASSED_ON[name]] = f"{known}, {value}" if joined else value
    return passed_on


def call_options(connection: HTTPConnection) -> CallOptions:
    """The options in the headers of a request. Raises InvalidInput."""
    headers = connection.headers
    return CallOptions(
        strict=_strict(headers.get("x-cartrita-strict")),
        cache=_cache(headers.get("x-cartrita-cache")),
    )


async def read_pieces(receive: Receive) -> bytes:
    """The whole body. Raises ClientDisconnect if the client leaves before its end."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        return message.get("body", b"")
    pieces: list[bytes] = []
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)
        message = await receive()


def _strict(value: str | None) -> bool:
    if value is None:
        return False
    strict = _SWITCH.get(value.lower())
    if strict is None:
        raise InvalidInput.of("X-Cartrita-Strict", "send true or false")
    return strict


def _cache(value: str | None) -> CacheWish | None:
    if value is None:
        return None
    if value.lower() == "true":
        return CacheWish()
    if value.lower() == "false":
        return CacheWish(0)
    short = len(value) <= _LONGEST_DIGITS and value.isascii() and value.isdecimal()
    seconds = int(value) if short else -1
    if not 0 <= seconds <= _LONGEST_CACHE_S:
        raise InvalidInput.of(
            "X-Cartrita-Cache",
            f"send true, false, or how many seconds old an answer may be, 0 to {_LONGEST_CACHE_S}",
        )
    return CacheWish(float(seconds))
