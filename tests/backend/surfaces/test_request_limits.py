"""Bodies: soon, small, or refused with an answer that arrives."""

import json

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from tests.backend.surfaces.serving import WATCHDOG_S, connected, serving

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.request_limits import BodyLimit, RequestLimits

LIMIT = 100_000


class Echo:
    """Reads its body where the path says so; answers with its size, or with the error's code."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = scope["path"].endswith("/read")
        try:
            body = await Request(scope, receive).body() if read else b""
            answer = JSONResponse({"size": len(body)})
        except CartritaError as error:
            answer = JSONResponse({"code": error.code}, 400)
        await answer(scope, receive, send)


async def refuse(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    assert isinstance(error, CartritaError)
    await JSONResponse({"code": error.code}, 400)(scope, receive, send)


class Server:
    """RequestLimits as the outermost application."""

    def __init__(self, seconds: float) -> None:
        self.app = RequestLimits(
            Echo(),
            respond=refuse,
            max_bytes=LIMIT,
            v1_max_bytes=2 * LIMIT,
            seconds=seconds,
            max_url=200,
            uploads={"/upload/read": BodyLimit(4 * LIMIT, 20.0), "/upload": BodyLimit(10, 20.0)},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        await self.app(scope, receive, send)


async def ask(
    path: str, *sent: bytes, seconds: float = 20.0, method: str = "POST", **headers: str
) -> tuple[dict[str, object], dict[str, str]]:
    async with serving(Server(seconds)) as port, connected(port) as client:
        client.request(method, path, **headers)
        for piece in sent:
            client.send(piece)
        _, answered, body = await client.body()
        return json.loads(body), answered


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


async def test_a_body_within_the_limit() -> None:
    told, headers = await ask("/read", b"x" * LIMIT, content_length=str(LIMIT))
    assert told == {"size": LIMIT}
    assert "connection" not in headers


async def test_a_body_in_pieces() -> None:
    sent = chunked(b"x" * 40, b"y" * 60, b"")
    told, _ = await ask("/read", sent, transfer_encoding="chunked")
    assert told == {"size": 100}


@pytest.mark.parametrize("path", ["/read", "/ignore"])
async def test_the_answer_arrives_though_10_mb_were_sent(path: str) -> None:
    size = 10_000_000
    told, headers = await ask(path, b"x" * size, content_length=str(size))
    assert told == ({"code": "too_large"} if path == "/read" else {"size": 0})
    assert headers["connection"] == "close"


async def test_a_long_body_that_does_not_say_so() -> None:
    sent = chunked(*[b"x" * 50_000] * 3, b"")
    told, _ = await ask("/read", sent, transfer_encoding="chunked")
    assert told == {"code": "too_large"}


@pytest.mark.parametrize("path", ["/read", "/ignore"])
async def test_a_body_that_says_that_it_is_too_long_is_answered_before_it_comes(path: str) -> None:
    told, headers = await ask(path, b"x", content_length=str(10**15), seconds=10 * WATCHDOG_S)
    assert told == ({"code": "too_large"} if path == "/read" else {"size": 0})
    assert headers["connection"] == "close"


async def test_who_asks_first_is_told_before_it_sends() -> None:
    told, headers = await ask("/read", content_length="10000000", expect="100-continue")
    assert told == {"code": "too_large"}
    assert headers["connection"] == "close"


@pytest.mark.parametrize(
    ("path", "expected"), [("/read", {"code": "request_timeout"}), ("/ignore", {"size": 0})]
)
async def test_a_body_that_does_not_come(path: str, expected: dict[str, object]) -> None:
    told, headers = await ask(path, b"x", seconds=0.2, content_length="10")
    assert told == expected
    assert headers["connection"] == "close"


async def test_an_address_that_is_too_long() -> None:
    told, _ = await ask("/read?message=" + "x" * 300, method="GET")
    assert told == {"code": "uri_too_long"}


async def test_a_body_below_v1_may_be_longer() -> None:
    told, _ = await ask("/v1/read", b"x" * 2 * LIMIT, content_length=str(2 * LIMIT))
    assert told == {"size": 2 * LIMIT}
    told, _ = await ask("/v1/read", b"x" * 3 * LIMIT, content_length=str(3 * LIMIT))
    assert told == {"code": "too_large"}


async def test_an_upload_has_a_limit_and_a_time_of_its_own() -> None:
    size = 4 * LIMIT
    told, _ = await ask("/upload/read", b"x" * size, seconds=0.2, content_length=str(size))
    assert told == {"size": size}
    told, _ = await ask("/upload/read", b"x" * (size + 1), content_length=str(size + 1))
    assert told == {"code": "too_large"}


async def test_what_is_only_discarded_of_an_upload_has_the_time_of_any_request() -> None:
    told, headers = await ask("/upload", b"x", seconds=0.2, content_length="10")
    assert told == {"size": 0}
    assert headers["connection"] == "close"
