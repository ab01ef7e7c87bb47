"""Revisions of MCP, and what a request must say in the one that has no handshake.

Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports. The envelope and
the routing headers must agree, because proxies read only the headers.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final, cast

from starlette.requests import Request

from cartrita.surfaces.rpc.json_rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcCall,
    RpcError,
)

WITH_HANDSHAKE: Final = ("2025-03-26", "2025-06-18", "2025-11-25")
"""Revisions that begin with `initialize`, the oldest first."""
STATELESS: Final = ("2026-07-28",)
"""Revisions whose every request says all of itself."""
HEADER_MISMATCH: Final = -32020
UNSUPPORTED_PROTOCOL_VERSION: Final = -32022

_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
_BASE64: Final = ("=?base64?", "?=")
_STATUSES: Final[Mapping[int, int]] = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    UNSUPPORTED_PROTOCOL_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}


def is_stateless(request: Request) -> bool:
    """Whether a request says that it is of a revision without a handshake."""
    return request.headers.get("mcp-protocol-version") in STATELESS


def status_of(request: Request, error: RpcError) -> int:
    """The status for an error: in revisions with a handshake 200, but for a version itself."""
    if is_stateless(request) or error.code == UNSUPPORTED_PROTOCOL_VERSION:
        return _STATUSES.get(error.code, 200)
    return 200


def agreed_version(asked: object) -> str:
    """The version to answer `initialize` with: the one asked for, or else the latest."""
    return asked if isinstance(asked, str) and asked in WITH_HANDSHAKE else WITH_HANDSHAKE[-1]


def require_version(request: Request) -> None:
    """Raise RpcError for a version that this server does not speak; none at all is the oldest."""
    told = request.headers.get("mcp-protocol-version")
    if told is None or told in (*WITH_HANDSHAKE, *STATELESS):
        return
    raise RpcError(
        UNSUPPORTED_PROTOCOL_VERSION,
        "Unsupported protocol version",
        data={"supported": [*STATELESS, *reversed(WITH_HANDSHAKE)], "requested": told[:40]},
    )


def require_envelope(request: Request, call: RpcCall) -> None:
    """Raise RpcError unless a stateless request has an envelope, and headers that agree."""
    meta = call.params.get("_meta")
    given = cast("dict[str, Any]", meta) if isinstance(meta, dict) else {}
    missing = [name for name in (_VERSION_KEY, _CAPABILITIES_KEY) if name not in given]
    if missing:
        raise RpcError(INVALID_PARAMS, f"params._meta must hold {' and '.join(missing)}.")
    headers = request.headers
    _require_same(headers.get("mcp-protocol-version"), given[_VERSION_KEY], "MCP-Protocol-Version")
    _require_same(headers.get("mcp-method"), call.method, "Mcp-Method")
    if call.method == "tools/call":
        _require_same(_decoded(headers.get("mcp-name")), call.params.get("name"), "Mcp-Name")


def _require_same(told: str | None, said: object, name: str) -> None:
    if told != said:
        raise RpcError(HEADER_MISMATCH, f"The header {name} does not say what the body does.")


def _decoded(value: str | None) -> str | None:
    """A header's value, which is in Base64 where it could not be sent as it is."""
    before, after = _BASE64
    if value is None or not (value.startswith(before) and value.endswith(after)):
        return value
    try:
        return b64decode(value[len(before) : -len(after)], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
