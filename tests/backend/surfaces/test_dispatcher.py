"""The dispatcher answers plain requests for hot paths as the middleware would, and no others."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from msgspec.structs import replace
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import Receive, Send
from tests.backend.surfaces.serving import Client, connected, serving

from cartrita.domain.errors import Conflict
from cartrita.surfaces.dispatcher import Dispatcher
from cartrita.surfaces.error_formats import send_error
from cartrita.surfaces.hot_paths import HotPath, HotPaths, hot_path_table
from cartrita.surfaces.middleware import ErrorBoundary, RequestContext
from cartrita.surfaces.services import SurfaceConfig
from cartrita.surfaces.v1.request_reading import read_pieces


async def echo(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    body = await read_pieces(receive)
    direct = "layers" not in connection.scope
    answer = JSONResponse({"direct": direct, "body": body.decode()})
    await answer(connection.scope, receive, send)


async def refusing(_: HTTPConnection, receive: Receive, send: Send) -> None:
    raise Conflict("It is busy.")


async def failing(_: HTTPConnection, receive: Receive, send: Send) -> None:
    raise RuntimeError("sk-secret")


async def breaking(_: HTTPConnection, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise Conflict("It broke.")


async def left(_: HTTPConnection, receive: Receive, send: Send) -> None:
    raise ClientDisconnect


class Layers:
    """Marks the requests that came through the middleware."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        scope["layers"] = True
        await self.app(scope, receive, send)


def path(handler: Any) -> HotPath:
    name = handler.__name__
    return HotPath(
        method="POST",
        path=f"/v1/{name}",
        name=name,
        tag="hot",
        handler=handler,
        description="",
        request="",
        response="",
    )


TABLE = hot_path_table(path(one) for one in (echo, refusing, failing, breaking, left))
CONFIG = SurfaceConfig(cors_origins=("https://other.example",), v1_body_max_bytes=100)
IMPATIENT = replace(CONFIG, body_timeout_s=0.2)


@asynccontextmanager
async def served(config: SurfaceConfig = CONFIG) -> AsyncGenerator[Client]:
    app = FastAPI(
        middleware=[
            Middleware(Layers),
            Middleware(RequestContext),
            Middleware(ErrorBoundary, respond=send_error),
            Middleware(HotPaths, table=TABLE),
        ]
    )
    server = Dispatcher(app, TABLE, config, send_error)
    async with serving(server) as port, connected(port) as client:
        yield client


async def test_a_plain_request_is_answered_directly_with_the_default_headers() -> None:
    async with served() as client:
        client.request("POST", "/v1/echo", b"hello", x_request_id="mine")
        status, headers, body = await client.body()
    assert (status, json.loads(body)) == (200, {"direct": True, "body": "hello"})
    assert headers["x-request-id"] == "mine"
    assert headers["server"] == "cartrita"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/v1/echo?key=1", {}),
        ("/v1/echo", {"origin": "https://other.example"}),
        ("/v1/echo", {"expect": "100-continue"}),
    ],
)
async def test_any_other_request_takes_the_middleware(target: str, headers: Any) -> None:
    async with served() as client:
        client.request("POST", target, b"hello", **headers)
        if "expect" in headers:
            assert (await client.head())[0] == 100
        status, _, body = await client.body()
    assert (status, json.loads(body)) == (200, {"direct": False, "body": "hello"})


async def test_a_body_longer_than_allowed_or_of_unknown_length_takes_the_middleware() -> None:
    async with served() as client:
        client.request("POST", "/v1/echo", b"x" * 101)
        assert json.loads((await client.body())[2])["direct"] is False
        client.request("POST", "/v1/echo", b"x", content_length="1", x_a="1")
        assert json.loads((await client.body())[2])["direct"] is True
        client.send(b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"1\r\nx\r\n0\r\n\r\n")
        assert json.loads((await client.body())[2])["direct"] is False


async def test_a_repeated_header_takes_the_middleware() -> None:
    async with served() as client:
        client.send(b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nX-API-Key: a\r\nX-API-Key: b\r\n")
        client.send(b"Content-Length: 1\r\n\r\nx")
        assert json.loads((await client.body())[2])["direct"] is False


@pytest.mark.parametrize(("name", "status"), [("refusing", 409), ("failing", 500)])
async def test_errors_are_answered_in_the_format_of_the_path(name: str, status: int) -> None:
    async with served() as client:
        client.request("POST", f"/v1/{name}", b"{}")
        got, headers, body = await client.body()
    assert got == status
    assert "error" in json.loads(body)
    assert b"sk-secret" not in body
    assert headers["x-request-id"].startswith("req_")


async def test_a_response_that_breaks_off_closes_the_connection() -> None:
    async with served() as client:
        client.request("POST", "/v1/breaking", b"{}")
        assert (await client.head())[0] == 200
        assert await client.chunk() == b"half"
        assert await client.closed()


async def test_the_rest_of_a_body_is_read_before_an_early_answer() -> None:
    async with served() as client:
        client.request("POST", "/v1/refusing", b"a", content_length="2")
        client.send(b"b")
        status, headers, _ = await client.body()
        assert (status, headers.get("connection")) == (409, None)
    async with served(IMPATIENT) as client:
        client.request("POST", "/v1/refusing", b"a", content_length="2")
        status, headers, _ = await client.body()
        assert (status, headers["connection"]) == (409, "close")


async def test_a_body_that_does_not_arrive_in_time_is_refused() -> None:
    async with served(IMPATIENT) as client:
        client.request("POST", "/v1/echo", b"a", content_length="2")
        status, _, body = await client.body()
    assert (status, json.loads(body)["error"]["code"]) == (408, "request_timeout")


async def test_who_left_gets_no_answer() -> None:
    async with served() as client:
        client.request("POST", "/v1/left", b"{}")
        assert (await client.body())[0] == 500  # uvicorn's own, which nobody reads
