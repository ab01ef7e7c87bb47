"""Revisions of MCP are agreed on, and a stateless request must say the same in all its places."""

from typing import Any

import pytest
from starlette.requests import Request

from cartrita.surfaces.mcp import versions
from cartrita.surfaces.rpc.json_rpc import INVALID_PARAMS, METHOD_NOT_FOUND, RpcCall, RpcError

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
VERSION = "io.modelcontextprotocol/protocolVersion"
META = {VERSION: "2026-07-28", CAPABILITIES: {}}
HEADERS = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "coder"}


def request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/mcp", "headers": named})


def call(name: str = "coder", **fields: Any) -> RpcCall:
    return RpcCall("tools/call", {"name": name, "_meta": META, **fields}, 1)


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"), (None, "2025-11-25")],
)
def test_the_version_of_a_handshake(asked: str | None, agreed: str) -> None:
    assert versions.agreed_version(asked) == agreed


def test_a_version_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    versions.require_version(request())
    versions.require_version(request(mcp_protocol_version="2025-06-18"))
    given = request(mcp_protocol_version="2031-01-01")
    with pytest.raises(RpcError) as refused:
        versions.require_version(given)
    assert refused.value.code == versions.UNSUPPORTED_PROTOCOL_VERSION
    assert isinstance(refused.value.data, dict)
    assert refused.value.data["supported"][0] == "2026-07-28"
    assert versions.status_of(given, refused.value) == 400


def test_a_stateless_request_that_agrees_with_itself() -> None:
    versions.require_envelope(request(**HEADERS), call())
    encoded = {**HEADERS, "mcp-name": "=?base64?w6Q=?="}
    versions.require_envelope(request(**encoded), call("ä"))


@pytest.mark.parametrize(
    ("headers", "sent", "code"),
    [
        (HEADERS, call(_meta=None), INVALID_PARAMS),
        (HEADERS, call(_meta={VERSION: "2026-07-28"}), INVALID_PARAMS),
        (HEADERS, call(_meta={**META, VERSION: "x"}), versions.HEADER_MISMATCH),
        ({**HEADERS, "mcp-method": "tools/list"}, call(), versions.HEADER_MISMATCH),
        ({**HEADERS, "mcp-name": "writer"}, call(), versions.HEADER_MISMATCH),
        ({**HEADERS, "mcp-name": "=?base64?!?="}, call(), versions.HEADER_MISMATCH),
        ({**HEADERS, "mcp-name": "=?base64?/w==?="}, call(), versions.HEADER_MISMATCH),
    ],
)
def test_one_that_does_not(headers: dict[str, str], sent: RpcCall, code: int) -> None:
    with pytest.raises(RpcError) as refused:
        versions.require_envelope(request(**headers), sent)
    assert refused.value.code == code


def test_statuses_are_those_of_the_revision() -> None:
    missing = RpcError(METHOD_NOT_FOUND, "No.")
    assert versions.status_of(request(), missing) == 200
    assert versions.status_of(request(**HEADERS), missing) == 404
    assert versions.status_of(request(**HEADERS), RpcError(-32603, "No.")) == 200
