"""What surrounds every request: its id, its headers, its log line, the last resort."""

import json
import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs
from tests.backend.surfaces.serving import connected, serving

from cartrita.domain.errors import TooLarge
from cartrita.surfaces.error_formats import send_error
from cartrita.surfaces.middleware import ErrorBoundary, RequestContext
from cartrita.surfaces.request_limits import URI_TOO_LONG


async def hello(request: Request) -> Response:
    return PlainTextResponse(request.state.request_id)


async def own_headers(_: Request) -> Response:
    return PlainTextResponse("", headers={"Cache-Control": "public", "Server": "other"})


async def broken(_: Request) -> Response:
    raise RuntimeError("sk-secret at /srv/somewhere")


async def too_large(scope: Scope, receive: Receive, send: Send) -> None:
    raise TooLarge("It is too large.", code=URI_TOO_LONG)


async def broken_halfway(_: Request) -> Response:
    async def half():
        yield "half"
        raise RuntimeError("sk-secret")

    return StreamingResponse(half())


async def refused_halfway(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise TooLarge("It is too large.", code=URI_TOO_LONG)


def app() -> Starlette:
    return Starlette(
        routes=[
            Route("/hello", hello),
            Route("/own", own_headers),
            Route("/broken", broken),
            Route("/halfway", broken_halfway),
            Mount("/large", too_large),
            Mount("/refused", refused_halfway),
            Route("/health", hello),
            Route("/ready", hello),
        ],
        middleware=[Middleware(RequestContext), Middleware(ErrorBoundary, respond=send_error)],
    )


async def get(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    async with serving(app()) as port, connected(port) as client:
        client.request("GET", path, **headers)
        return await client.body()


async def test_every_answer_has_its_headers() -> None:
    status, headers, body = await get("/hello")
    assert status == 200
    assert headers["server"] == "cartrita"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-request-id"] == body.decode()
    assert re.fullmatch(r"req_[0-9a-f]{32}", body.decode())


@pytest.mark.parametrize(("path", "version"), [("/hello", "2023-06-01"), ("/v1/messages", "")])
async def test_anthropics_sdks_find_the_id_where_they_look(path: str, version: str) -> None:
    _, headers, _ = await get(path, **({"anthropic_version": version} if version else {}))
    assert headers["request-id"] == headers["x-request-id"]
    assert "request-id" not in (await get("/hello"))[1]


async def test_what_an_endpoint_says_of_caching_stands() -> None:
    _, headers, _ = await get("/own")
    assert headers["cache-control"] == "public"
    assert headers["server"] == "cartrita"


@pytest.mark.parametrize("given", ["abc-123", "A.b_c:9", "x" * 128])
async def test_a_sane_request_id_is_kept(given: str) -> None:
    _, headers, body = await get("/hello", X_Request_ID=given)
    assert headers["x-request-id"] == body.decode() == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", "<script>"])
async def test_any_other_is_replaced(given: str) -> None:
    _, headers, _ = await get("/hello", X_Request_ID=given)
    assert headers["x-request-id"].startswith("req_")


async def test_the_log_has_one_line_without_the_query() -> None:
    with capture_logs() as lines:
        await get("/hello?message=private&api_key=ck_1", X_Client_Version="web 1.2")
    (line,) = [line for line in lines if line["event"] == "request_answered"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/hello", 200)
    assert line["client_version"] == "web 1.2"
    assert line["seconds"] >= 0
    assert "private" not in str(lines)
    assert "ck_1" not in str(lines)


@pytest.mark.parametrize(
    ("path", "level"), [("/health", "debug"), ("/ready", "debug"), ("/hello", "info")]
)
async def test_what_watches_us_does_not_fill_the_log(path: str, level: str) -> None:
    with capture_logs() as lines:
        await get(path)
    (line,) = [line for line in lines if line["event"] == "request_answered"]
    assert line["log_level"] == level


async def test_what_nobody_expected_is_a_500_that_tells_nothing() -> None:
    with capture_logs() as lines:
        status, headers, body = await get("/broken")
    assert status == 500
    told = json.loads(body)
    assert set(told) == {"detail", "error", "code", "details", "request_id"}
    assert told["code"] == "internal"
    assert told["request_id"] == headers["x-request-id"]
    assert b"secret" not in body
    assert b"srv" not in body
    (failure,) = [line for line in lines if line["event"] == "request_failed"]
    assert failure["exc_info"]


async def test_an_error_outside_the_endpoints_is_answered_too() -> None:
    with capture_logs() as lines:
        status, headers, body = await get("/large/x")
    assert status == 414
    assert json.loads(body)["code"] == "uri_too_long"
    assert headers["x-request-id"] == json.loads(body)["request_id"]
    assert not [line for line in lines if line["log_level"] == "error"]


@pytest.mark.parametrize("path", ["/halfway", "/refused/x"])
async def test_an_answer_that_broke_halfway_is_not_taken_for_whole(path: str) -> None:
    async with serving(app()) as port, connected(port) as client:
        with capture_logs():
            client.request("GET", path)
            await client.head()
            assert await client.chunk() == b"half"
            assert await client.closed()  # and no last chunk before that


@pytest.mark.parametrize(
    ("path", "cut"), [("/halfway", "internal"), ("/refused/x", "uri_too_long"), ("/hello", None)]
)
async def test_the_log_tells_what_cut_an_answer(path: str, cut: str | None) -> None:
    async with serving(app()) as port, connected(port) as client:
        with capture_logs() as lines:
            client.request("GET", path)
            await (client.closed() if cut else client.body())
    (line,) = [line for line in lines if line["event"] == "request_answered"]
    assert (line["status"], line.get("cut")) == (200, cut)


async def test_the_log_tells_that_a_client_did_not_wait() -> None:
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def leaving(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ClientDisconnect

    scope: Scope = {"type": "http", "method": "GET", "path": "/x", "headers": [], "state": {}}
    with capture_logs() as lines:
        await RequestContext(ErrorBoundary(leaving, send_error))(scope, receive, send)
    (line,) = [line for line in lines if line["event"] == "request_answered"]
    assert (line["status"], line["cut"]) == (200, "client_disconnected")
    assert sent == ["http.response.start"]


async def test_an_answer_that_began_is_not_begun_again() -> None:
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope: Scope = {"type": "http", "method": "GET", "path": "/x", "headers": [], "state": {}}
    with pytest.raises(TooLarge):
        await ErrorBoundary(refused_halfway, send_error)(scope, receive, send)
    assert sent == ["http.response.start", "http.response.body"]
