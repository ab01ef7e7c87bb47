"""Relays to the fake provider: the bytes as they came, the headers that pass, the errors."""

import asyncio
import json
from collections.abc import Callable

import msgspec
import pytest
from tests.backend.adapters.http.servers import answer, serving
from tests.harness.fake_provider.faults import (
    CutOff,
    Fault,
    Gzip,
    Headers,
    Html,
    Redirect,
    ReplacedResponse,
    Stall,
)
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.kit import sse
from cartrita.kit.secret import Secret

TEXT = "one two three four five six"
PATIENT = Deadlines(connect=20, headers=20, idle=20, total=60)

Make = Callable[..., OpenAICompatible]


@pytest.fixture
def make(fake: FakeProvider, http: HttpClient) -> Make:
    def made(deadlines: Deadlines = PATIENT, base_url: str = fake.base_url) -> OpenAICompatible:
        connection = ProviderConnection(
            name="fake",
            base_url=base_url,
            transport=http,
            credential=Bearer(Secret(fake.key)),
            deadlines=deadlines,
            max_bytes=1 << 20,
        )
        return OpenAICompatible(connection, relays=("openai_responses",))

    return made


def request(
    *,
    stream: bool = False,
    endpoint: Endpoint = Endpoint.CHAT_COMPLETIONS,
    headers: dict[str, str] | None = None,
) -> RelayRequest:
    body = {"model": "fake", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    return RelayRequest(
        endpoint=endpoint, model="fake", body=msgspec.json.encode(body), headers=headers or {}
    )


async def relayed(provider: OpenAICompatible, sent: RelayRequest) -> tuple[dict[str, str], bytes]:
    """The headers and the whole body."""
    async with provider.relay(sent) as response:
        assert response.status == 200
        pieces: list[bytes] = []
        while piece := await response.read():
            pieces.append(piece)
        return dict(response.headers), b"".join(pieces)


async def failing(provider: OpenAICompatible, sent: RelayRequest) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await relayed(provider, sent)
    assert caught.value.provider == "fake"
    return caught.value


async def test_a_stream_is_passed_on(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT))
    headers, body = await relayed(make(), request(stream=True))
    *chunks, done = [frame.data for frame in sse.Parser().feed(body)]
    texts = [json.loads(chunk)["choices"][0]["delta"].get("content") or "" for chunk in chunks]
    assert "".join(texts) == TEXT
    assert done == "[DONE]"
    assert headers["content-type"].startswith("text/event-stream")


async def test_a_whole_answer_is_passed_on(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT))
    headers, body = await relayed(make(), request())
    assert json.loads(body)["choices"][0]["message"]["content"] == TEXT
    assert headers["content-type"] == "application/json"


async def test_the_body_is_sent_byte_for_byte(make: Make) -> None:
    seen: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head + await reader.readexactly(len(sent.body)))
        writer.write(answer(b"{}", b"Content-Type: application/json"))
        await writer.drain()

    sent = RelayRequest(
        endpoint=Endpoint.CHAT_COMPLETIONS, model="m", body=b'{"model":"m",  "unknown": 1e400 }'
    )
    async with serving(record) as url:
        await relayed(make(base_url=url), sent)
    assert seen[0].endswith(sent.body)
    assert seen[0].startswith(b"POST /v1/chat/completions ")


async def test_only_known_headers_are_sent(fake: FakeProvider, make: Make) -> None:
    headers = {
        "openai-beta": "assistants=v2",
        "authorization": "Bearer of-the-caller",
        "cookie": "a=b",
        "host": "elsewhere",
        "x-api-key": "of-the-caller",
    }
    await relayed(make(), request(headers=headers))
    (exchange,) = fake.requests()
    assert exchange.header("openai-beta") == "assistants=v2"
    assert exchange.header("authorization") == f"Bearer {fake.key}"
    assert exchange.header("cookie") is None
    assert exchange.header("x-api-key") is None
    assert exchange.header("host") == f"127.0.0.1:{fake.port}"


async def test_only_known_headers_come_back(fake: FakeProvider, make: Make) -> None:
    told = {"x-ratelimit-remaining-requests": "9", "set-cookie": "a=b", "openai-version": "2020"}
    fake.script(Script(text=TEXT, faults=(Headers(set=told),)))
    headers, _ = await relayed(make(), request())
    assert headers["x-ratelimit-remaining-requests"] == "9"
    assert headers["openai-version"] == "2020"
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        (Endpoint.CHAT_COMPLETIONS, b"/v1/chat/completions"),
        (Endpoint.EMBEDDINGS, b"/v1/embeddings"),
        (Endpoint.RESPONSES, b"/v1/responses"),
    ],
)
async def test_each_endpoint_has_its_path(make: Make, endpoint: Endpoint, path: bytes) -> None:
    seen: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).split()[1])
        writer.write(answer(b"{}", b"Content-Type: application/json"))
        await writer.drain()

    async with serving(record) as url:
        await relayed(make(base_url=url), request(endpoint=endpoint))
    assert seen == [path]


async def test_the_dialects_of_a_provider(make: Make) -> None:
    assert make().dialects == {"openai_chat", "openai_responses"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRejected),
        (401, UpstreamAuth),
        (402, UpstreamQuota),
        (404, UpstreamRejected),
        (429, UpstreamLimited),
        (500, UpstreamOverloaded),
        (529, UpstreamOverloaded),
    ],
)
async def test_refusals(
    fake: FakeProvider, make: Make, status: int, kind: type[UpstreamError]
) -> None:
    body = json.dumps({"error": {"message": f"{fake.key} is not welcome"}})
    fake.script(Script(faults=(ReplacedResponse(status=status, body=body),)))
    error = await failing(make(), request(stream=True))
    assert type(error) is kind
    assert error.status == status
    assert fake.key not in error.message


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Html(), "web page"),
        (Gzip(), "compressed"),
        (Redirect(location="http://127.0.0.1:1/v1"), "redirect"),
    ],
    ids=str,
)
async def test_answers_of_something_else(
    fake: FakeProvider, make: Make, fault: Fault, sentence: str
) -> None:
    fake.script(Script(text=TEXT, faults=(fault,)))
    error = await failing(make(), request())
    assert type(error) is UpstreamMalformed
    assert sentence in error.message


async def test_more_bytes_than_allowed(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(ReplacedResponse(body="x" * (2 << 20)),)))
    error = await failing(make(), request())
    assert type(error) is UpstreamMalformed


async def test_a_cut_stream(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT, faults=(CutOff(how="fin", after_tokens=3),)))
    assert type(await failing(make(), request(stream=True))) is UpstreamCut


async def test_a_stalled_stream(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT, faults=(Stall(after_tokens=3),)))
    hasty = Deadlines(connect=20, headers=20, idle=0.3, total=60)
    error = await failing(make(hasty), request(stream=True))
    assert type(error) is UpstreamCut
    assert "0.3 s" in error.message


async def test_connections_are_kept(fake: FakeProvider, make: Make) -> None:
    provider = make()
    for stream in (True, False, True):
        await relayed(provider, request(stream=stream))
    assert fake.open().connections == 1
