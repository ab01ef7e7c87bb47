"""The dispatcher answers exactly the endpoints of its table and passes everything else on."""

import json
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import Receive, Send
from tests.backend.surfaces.serving import connected, serving

from cartrita.domain.errors import Conflict
from cartrita.surfaces.error_formats import send_error
from cartrita.surfaces.hot_paths import HotPath, HotPaths, hot_path_table
from cartrita.surfaces.middleware import ErrorBoundary, RequestContext
from cartrita.surfaces.sse import send_later


async def hot(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    await JSONResponse({"hot": connection.scope["path"]})(connection.scope, receive, send)


async def refusing(_: HTTPConnection, receive: Receive, send: Send) -> None:
    raise Conflict("It is busy.")


async def streaming(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    send_later(connection.scope, partial(hot, connection, receive, send))


async def refusing_later(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    send_later(connection.scope, partial(refusing, connection, receive, send))


def path(name: str, handler: Any) -> HotPath:
    return HotPath(
        method="POST",
        path=f"/hot/{name}",
        name=name,
        tag="hot",
        handler=handler,
        description="",
        request="",
        response="",
    )


TABLE = hot_path_table(
    [path("one", hot), path("stream", streaming)],
    [path("two", refusing), path("refused", refusing_later)],
)


async def answer(method: str, target: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    app = FastAPI(
        middleware=[
            Middleware(RequestContext),
            Middleware(ErrorBoundary, respond=send_error),
            Middleware(HotPaths, table=TABLE),
        ]
    )

    @app.post("/hot/one/more")
    async def more() -> dict[str, str]:
        return {"cold": "more"}

    async with serving(app) as port, connected(port) as client:
        client.request(method, target)
        status, headers, body = await client.body()
        return status, headers, json.loads(body)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/hot/one", {"hot": "/hot/one"}),
        ("/hot/stream", {"hot": "/hot/stream"}),
        ("/hot/one/more", {"cold": "more"}),
    ],
)
async def test_a_path_of_the_table_is_answered_by_it(target: str, expected: dict[str, str]) -> None:
    status, headers, body = await answer("POST", target)
    assert (status, body) == (200, expected)
    assert headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("target", ["/hot/two", "/hot/refused"])
async def test_errors_are_answered_in_the_format_of_the_path(target: str) -> None:
    status, _, body = await answer("POST", target)
    assert (status, body["code"]) == (409, "conflict")


async def test_a_wrong_method_is_told_those_of_the_path() -> None:
    status, headers, body = await answer("GET", "/hot/one")
    assert (status, body["code"]) == (405, "method_not_allowed")
    assert headers["allow"] == "POST"


def test_the_table_names_each_endpoint_once() -> None:
    names = ("one", "stream", "two", "refused")
    assert set(TABLE) == {("POST", f"/hot/{name}") for name in names}
