"""What an exchange sends, which responses it takes, and what it makes of the others."""

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import msgspec
import pytest

from cartrita.adapters.http import bodies
from cartrita.adapters.http.transport import Deadlines, HttpRequest, HttpResponse
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import Exchange, ProviderConnection
from cartrita.dialects.losses import Rendered
from cartrita.dialects.openai_chat import response_parsing
from cartrita.dialects.openai_chat.response_parsing import decode_completion
from cartrita.dialects.openai_chat.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.openai_errors import from_response
from cartrita.domain.deltas import Accepted, Delta, Finished, TextDelta
from cartrita.domain.errors import (
    InvalidInput,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamRejected,
)
from cartrita.domain.receipts import Receipt
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.kit.long_work import LARGE
from cartrita.kit.secret import Secret

LOST = Receipt("seed", "native", "openai_chat", "dropped", "It has none.")
JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
CHUNK = (
    b'data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
WHOLE = (
    b'{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
)
KEY = "sk-secret-key"


class Answering:
    """A transport with one answer; None among its pieces never comes."""

    def __init__(
        self,
        *pieces: bytes | UpstreamError | None,
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> None:
        self.status = status
        self.headers = headers or {}
        self.pieces = list(pieces)
        self.sent: list[HttpRequest] = []
        self.closed = 0

    def open(self, request: HttpRequest) -> "Answering":
        self.sent.append(request)
        return self

    async def __aenter__(self) -> HttpResponse:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed += 1

    async def read(self) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, UpstreamError):
            raise piece
        if piece is None:
            await asyncio.Event().wait()
        return piece or b""


def over(transport: Answering) -> Exchange:
    connection = ProviderConnection(
        name="fake",
        base_url="http://fake",
        transport=transport,
        credential=Bearer(Secret(KEY)),
        max_bytes=1000,
        line_limit=500,
    )
    return Exchange(connection, from_response)


async def streamed(
    transport: Answering, receipts: tuple[Receipt, ...] = (), **fields: object
) -> list[Delta]:
    asked = {"owner_id": "o", "model": "m", "messages": ()} | fields
    request = msgspec.convert(asked, ModelRequest)
    rendered = Rendered(b"{}", receipts)
    opened = over(transport).stream(
        "http://fake/chat", request, rendered, StreamParser, parse_completion, {"X-A": "b"}
    )
    async with opened as deltas:
        return [delta async for delta in deltas]


async def refused(transport: Answering, origin: str | None = None) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await streamed(transport, origin=origin)
    assert transport.closed == 1
    return caught.value


@pytest.mark.parametrize("size", [len(WHOLE), LARGE])
async def test_a_large_whole_answer_is_parsed_beside_the_loop(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def decode(data: bytes) -> Any:
        threads.append(threading.get_ident())
        return decode_completion(data)

    monkeypatch.setattr(response_parsing, "decode_completion", decode)
    assert await streamed(Answering(WHOLE.ljust(size), headers=JSON))
    assert (threads != [threading.get_ident()]) is (size == LARGE)


async def test_a_whole_answer_comes_in_deltas_of_bounded_size() -> None:
    token = b'{"token":"hi","logprob":-0.1,"bytes":null,"top_logprobs":[]}'
    told = b'"logprobs":{"content":[' + b",".join([token] * 100) + b"]},"
    body = WHOLE.replace(b'"finish_reason"', told + b'"finish_reason"')
    *texts, _ = await streamed(Answering(body, headers=JSON))
    assert [len(one.logprobs) for one in texts if isinstance(one, TextDelta)] == [64, 36]


async def test_a_stream_and_a_whole_answer_are_the_same_deltas() -> None:
    for transport in (Answering(CHUNK, headers=EVENTS), Answering(WHOLE, headers=JSON)):
        deltas = await streamed(transport)
        assert deltas[0] == TextDelta("hi")
        assert isinstance(deltas[-1], Finished)
        assert transport.closed == 1


async def test_what_is_sent() -> None:
    transport = Answering(CHUNK, headers=EVENTS)
    await streamed(transport, model="o3")
    [sent] = transport.sent
    assert (sent.method, sent.url, sent.body) == ("POST", "http://fake/chat", b"{}")
    assert sent.headers == {
        "X-A": "b",
        "Content-Type": "application/json",
        "Authorization": Secret(f"Bearer {KEY}"),
    }
    assert sent.max_bytes == 1000
    assert sent.deadlines == Deadlines().for_model("o3")


async def test_what_was_lost_is_told_first_or_refused_before_it_is_sent() -> None:
    for transport in (Answering(CHUNK, headers=EVENTS), Answering(WHOLE, headers=JSON)):
        deltas = await streamed(transport, (LOST,))
        assert deltas[0] == Accepted("fake", "m", (LOST,))
    transport = Answering(CHUNK)
    with pytest.raises(InvalidInput, match="It has none"):
        await streamed(transport, (LOST,), strict=True)
    assert transport.sent == []


async def test_a_list_is_asked_for_without_a_body() -> None:
    transport = Answering(b"[1", b",2]")
    deadlines = Deadlines(total=3)
    assert await over(transport).get("http://fake/models", deadlines) == (200, b"[1,2]")
    [sent] = transport.sent
    assert (sent.method, sent.body, sent.deadlines) == ("GET", b"", deadlines)
    assert set(sent.headers) == {"Authorization"}
    assert transport.closed == 1


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"content-encoding": "gzip"}, "compressed data"),
        ({"content-type": "text/html; charset=utf-8"}, "page"),
    ],
)
async def test_a_success_that_is_none(headers: dict[str, str], what: str) -> None:
    error = await refused(Answering(b"x", headers=headers))
    assert type(error) is UpstreamMalformed
    assert what in error.message


async def test_an_error_keeps_its_headers_and_not_the_key() -> None:
    said = msgspec.json.encode({"error": {"message": f"Slow down, {KEY}."}})
    error = await refused(
        Answering(
            said,
            status=429,
            headers={
                "retry-after": "7",
                "x-request-id": "r",
                "request-id": f"of {KEY}",
                "set-cookie": "a=b",
            },
        )
    )
    assert type(error) is UpstreamLimited
    assert error.headers == {"retry-after": "7", "x-request-id": "r"}
    assert KEY not in repr((error.message, error.words, error.details))


@pytest.mark.parametrize(
    "pieces",
    [
        [b'{"error": {"message": "No', UpstreamCut("It broke off.", provider="fake")],
        [b'{"error": ', None],
        [b"x" * (40 << 10)] * 9,
    ],
)
async def test_an_error_whose_body_does_not_end(
    pieces: list[bytes | UpstreamError | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_ERROR_BODY_SECONDS", 0.01)
    transport = Answering(*pieces, status=400)
    async with asyncio.timeout(20):
        assert type(await refused(transport)) is UpstreamRejected
    assert len(transport.pieces) in (0, 7)


async def test_a_compressed_error_is_not_read() -> None:
    transport = Answering(b"\x1f\x8b", status=400, headers={"content-encoding": "gzip"})
    assert type(await refused(transport)) is UpstreamRejected
    assert transport.pieces == [b"\x1f\x8b"]


@pytest.mark.parametrize(
    ("origin", "param", "told"),
    [
        (None, "max_completion_tokens", "max_completion_tokens"),
        ("anthropic_messages", "max_completion_tokens", "max_tokens"),
        ("openai_responses", "messages[0].content", "input"),
        ("anthropic_messages", "something_else", None),
        ("anthropic_messages", None, None),
    ],
)
async def test_an_error_names_the_field_that_the_caller_sent(
    origin: str | None, param: str | None, told: str | None
) -> None:
    said = msgspec.json.encode({"error": {"message": "No.", "param": param}})
    error = await refused(Answering(said, status=400), origin=origin)
    assert error.details.get("upstream_param") == told


def relaying() -> RelayRequest:
    return RelayRequest(
        endpoint=Endpoint.CHAT_COMPLETIONS,
        model="m",
        body=b'{"a": 1}',
        headers={"openai-beta": "x", "cookie": "a=b", "x-own": "theirs"},
    )


async def test_a_relay_passes_bytes_and_known_headers() -> None:
    told = {**EVENTS, "x-request-id": "r", "set-cookie": "a=b", "request-id": f"of {KEY}"}
    transport = Answering(b"a", b"b", headers=told)
    url = "http://fake/chat"
    async with over(transport).relay(url, relaying(), {"openai-beta": "ours"}) as response:
        assert [await response.read() for _ in range(3)] == [b"a", b"b", b""]
        assert response.headers == {"content-type": "text/event-stream", "x-request-id": "r"}
        assert response.line_limit == 500
    [sent] = transport.sent
    assert sent.body == b'{"a": 1}'
    assert set(sent.headers) == {"openai-beta", "Content-Type", "Authorization"}
    assert sent.headers["openai-beta"] == "x"
    assert transport.closed == 1


async def test_a_relay_that_is_refused_has_the_words_of_the_provider() -> None:
    said = msgspec.json.encode({"error": {"message": "No such thing.", "param": "top_k"}})
    transport = Answering(said, status=400)
    with pytest.raises(UpstreamRejected, match="No such thing") as caught:
        async with over(transport).relay("http://fake/chat", relaying()):
            raise AssertionError
    assert caught.value.details["upstream_param"] == "top_k"
    assert caught.value.relayed
    assert transport.closed == 1
