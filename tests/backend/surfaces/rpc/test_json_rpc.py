"""Bodies are calls of JSON-RPC, or are refused by the codes of its specification."""

import json
from typing import Any

import msgspec
import pytest

from cartrita.surfaces.rpc.json_rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    RpcError,
    error_bytes,
    notification_bytes,
    parse_call,
    result_bytes,
)


class Named(msgspec.Struct, frozen=True):
    """Parameters of a test."""

    name: str


def body(**fields: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "look", **fields}).encode()


def test_a_call_has_its_id_and_parameters() -> None:
    call = parse_call(body(params={"name": "moss"}))
    assert call is not None
    assert (call.method, call.id, call.answered) == ("look", 1, True)
    assert call.params_as(Named) == Named("moss")


def test_a_call_without_an_id_is_a_notification() -> None:
    call = parse_call(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')
    assert call is not None
    assert not call.answered


def test_a_response_asks_for_nothing() -> None:
    assert parse_call(b'{"jsonrpc": "2.0", "id": 1, "result": {}}') is None


@pytest.mark.parametrize(
    ("sent", "code", "call_id"),
    [
        (b"{", PARSE_ERROR, None),
        (b"\xff", PARSE_ERROR, None),
        (b"3", PARSE_ERROR, None),
        (b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "x"}', PARSE_ERROR, None),
        (b" [{}]", INVALID_REQUEST, None),
        (body(jsonrpc="1.0"), INVALID_REQUEST, 1),
        (body(id=True), INVALID_REQUEST, None),
        (body(id={}), INVALID_REQUEST, None),
        (body(method=None), INVALID_REQUEST, 1),
        (body(method=4), INVALID_REQUEST, 1),
        (body(params=[1]), INVALID_PARAMS, 1),
        (body(params={"name": "\0"}), INVALID_PARAMS, None),
    ],
)
def test_what_is_not_a_call_is_refused(sent: bytes, code: int, call_id: int | None) -> None:
    with pytest.raises(RpcError) as refused:
        parse_call(sent)
    assert (refused.value.code, refused.value.call_id) == (code, call_id)


def test_wrong_parameters_are_named() -> None:
    call = parse_call(body(params={"name": 3}))
    assert call is not None
    with pytest.raises(RpcError, match=r"\$\.name") as refused:
        call.params_as(Named)
    assert refused.value.code == INVALID_PARAMS


def test_what_is_written() -> None:
    told = {"jsonrpc": "2.0", "id": "a", "result": {"name": "moss"}}
    assert json.loads(result_bytes("a", Named("moss"))) == told
    error = RpcError(-1, "No.", data=[1], call_id=7)
    assert json.loads(error_bytes(error)) == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": -1, "message": "No.", "data": [1]},
    }
    assert json.loads(error_bytes(RpcError(-1, "No."), "b"))["id"] == "b"
    assert json.loads(notification_bytes("x", {"n": 1})) == {
        "jsonrpc": "2.0",
        "method": "x",
        "params": {"n": 1},
    }
