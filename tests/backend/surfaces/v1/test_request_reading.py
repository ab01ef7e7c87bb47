"""Requests for hot paths: authenticated before they are read, with options in headers."""

import json

import pytest
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send
from tests.backend.surfaces.serving import connected, serving

from cartrita.domain.errors import InvalidInput
from cartrita.gateway.calls import CacheWish
from cartrita.surfaces.v1.request_reading import (
    CallOptions,
    call_options,
    headers_passed_on,
    read_pieces,
)


def connection(**headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw})


@pytest.mark.parametrize(
    ("headers", "options"),
    [
        ({}, CallOptions()),
        ({"x_cartrita_strict": "true"}, CallOptions(strict=True)),
        ({"x_cartrita_strict": "false"}, CallOptions()),
        ({"x_cartrita_strict": "TRUE"}, CallOptions(strict=True)),
        ({"x_cartrita_strict": "1"}, CallOptions(strict=True)),
        ({"x_cartrita_strict": "0"}, CallOptions()),
        ({"x_cartrita_cache": "300"}, CallOptions(cache=CacheWish(300))),
        ({"x_cartrita_cache": "true"}, CallOptions(cache=CacheWish())),
        ({"x_cartrita_cache": "False"}, CallOptions(cache=CacheWish(0))),
        ({"accept": "*/*", "x_cartrita_cache": "9", "via": "x"}, CallOptions(cache=CacheWish(9))),
        ({"x_request_id": "x", "authorization": "Bearer x"}, CallOptions()),
    ],
)
def test_options_in_headers(headers: dict[str, str], options: CallOptions) -> None:
    assert call_options(connection(**headers)) == options


@pytest.mark.parametrize("value", ["-1", "soon", "", "yes", "99999999", "٣", "9" * 5000])
def test_an_age_that_is_none(value: str) -> None:
    scope = {"type": "http", "headers": [(b"x-cartrita-cache", value.encode())]}
    with pytest.raises(InvalidInput, match="X-Cartrita-Cache"):
        call_options(HTTPConnection(scope))


@pytest.mark.parametrize("value", ["maybe", "", "yes", "true, false", "v" * 10_000])
def test_a_switch_that_is_neither_on_nor_off(value: str) -> None:
    scope = {"type": "http", "headers": [(b"x-cartrita-strict", value.encode())]}
    with pytest.raises(InvalidInput, match=r"^X-Cartrita-Strict: send true or false$"):
        call_options(HTTPConnection(scope))


def test_headers_that_choose_an_account_are_not_passed_on() -> None:
    given = connection(
        authorization="Bearer x", openai_organization="org", anthropic_beta="a", cookie="b=c"
    )
    assert headers_passed_on(given) == {"anthropic-beta": "a"}


def test_headers_are_passed_on_letter_by_letter() -> None:
    raw = [(b"host", b"h"), (b"x-client-request-id", b"\xe9"), (b"openai-beta", b"a=1, b")]
    passed_on = headers_passed_on(HTTPConnection({"type": "http", "headers": raw}))
    assert passed_on == {"x-client-request-id": "\xe9", "openai-beta": "a=1, b"}


def test_the_values_of_a_repeated_header_are_passed_on_together() -> None:
    raw = [(b"anthropic-beta", b"a"), (b"host", b"h"), (b"anthropic-beta", b"b,c")]
    raw += [(b"anthropic-version", b"2023-06-01")] * 2
    passed_on = headers_passed_on(HTTPConnection({"type": "http", "headers": raw}))
    assert passed_on == {"anthropic-beta": "a, b,c", "anthropic-version": "2023-06-01"}


async def measure(scope: Scope, receive: Receive, send: Send) -> None:
    body = await read_pieces(receive)
    await JSONResponse(len(body))(scope, receive, send)


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
async def test_a_body_in_any_number_of_pieces(size: int) -> None:
    async with serving(measure) as port, connected(port) as client:
        client.request("POST", "/", b"x" * size)
        assert json.loads((await client.body())[2]) == size


async def test_a_client_that_leaves_before_its_body_is_there() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    with pytest.raises(ClientDisconnect):
        await read_pieces(receive)
