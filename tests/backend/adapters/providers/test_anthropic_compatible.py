"""Against the fake provider in Anthropic's dialect: streams, relays, lists of models, errors."""

import json
from collections.abc import Callable

import msgspec
import pytest
from tests.backend.adapters.http.servers import answer, saying, serving
from tests.harness.fake_provider.faults import (
    CutOff,
    ErrorEvent,
    Headers,
    Html,
    NoDone,
    ReplacedResponse,
)
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, ToolCall

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers.anthropic_compatible import AnthropicCompatible
from cartrita.adapters.providers.credentials import HeaderKey
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.domain.deltas import (
    Accepted,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import (
    InvalidInput,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest, Sampling
from cartrita.domain.tools import ToolSpec
from cartrita.kit import sse
from cartrita.kit.secret import Secret

TEXT = "one two three four five six"
PATIENT = Deadlines(connect=20, headers=20, idle=20, total=60)

Make = Callable[..., AnthropicCompatible]


@pytest.fixture
def make(fake: FakeProvider, http: HttpClient) -> Make:
    def made(
        base_url: str = fake.root_url, key: str = fake.key, models: tuple[str, ...] = ()
    ) -> AnthropicCompatible:
        connection = ProviderConnection(
            name="fake",
            base_url=base_url,
            transport=http,
            credential=HeaderKey(Secret(key), "x-api-key"),
            deadlines=PATIENT,
        )
        return AnthropicCompatible(connection, models=models)

    return made


def asking(**fields: object) -> ModelRequest:
    given = {
        "owner_id": "o",
        "model": "fake",
        "messages": (Message(Role.USER, (Text("Hello"),)),),
        "sampling": Sampling(max_tokens=500),
    } | fields
    return ModelRequest(**given)  # pyright: ignore[reportArgumentType]


async def collected(provider: AnthropicCompatible, request: ModelRequest) -> list[Delta]:
    async with provider.stream(request) as deltas:
        return [delta async for delta in deltas]


async def failing(provider: AnthropicCompatible) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await collected(provider, asking())
    assert caught.value.provider == "fake"
    return caught.value


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_a_stream(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT))
    deltas = await collected(make(), asking(instructions=(Text("Be brief."),)))
    assert text(deltas) == TEXT
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].reason is FinishReason.STOP
    assert deltas[-1].usage.output_tokens > 0
    (exchange,) = fake.requests()
    assert exchange.status == 200
    assert exchange.path == "/v1/messages"
    assert exchange.header("x-api-key") == fake.key
    assert exchange.header("anthropic-version") == "2023-06-01"
    assert exchange.header("accept-encoding") == "identity"


async def test_reasoning_and_tool_calls(fake: FakeProvider, make: Make) -> None:
    call = ToolCall(name="f", arguments={"a": 1})
    fake.script(Script(tool_calls=(call,)))
    deltas = await collected(make(), asking(tools=(ToolSpec("f", "", {"type": "object"}),)))
    pieces = [delta for delta in deltas if isinstance(delta, ToolCallDelta)]
    assert pieces[0].name == "f"
    assert json.loads("".join(one.arguments for one in pieces)) == call.arguments
    assert not [delta for delta in deltas if isinstance(delta, ReasoningDelta)]


async def test_what_the_translation_lost_comes_first(fake: FakeProvider, make: Make) -> None:
    request = asking(sampling=Sampling(max_tokens=50, seed=1))
    first, *_ = await collected(make(), request)
    assert isinstance(first, Accepted)
    assert first.receipts[0].field == "seed"
    with pytest.raises(InvalidInput):
        await collected(make(), msgspec.structs.replace(request, strict=True))
    assert len(fake.requests()) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRejected),
        (401, UpstreamAuth),
        (402, UpstreamQuota),
        (429, UpstreamLimited),
        (500, UpstreamOverloaded),
        (529, UpstreamOverloaded),
    ],
)
async def test_refusals(
    fake: FakeProvider, make: Make, status: int, kind: type[UpstreamError]
) -> None:
    body = {"type": "error", "error": {"type": "x_error", "message": f"{fake.key}!"}}
    fake.script(Script(faults=(ReplacedResponse(status=status, body=json.dumps(body)),)))
    error = await failing(make())
    assert type(error) is kind
    assert fake.key not in error.message + repr(error.details)


async def test_a_wrong_key_is_reported_without_the_key(make: Make) -> None:
    error = await failing(make(key="sk-ant-wrong-0123456789"))
    assert type(error) is UpstreamAuth
    assert "0123456789" not in error.message + repr(error.details)


async def test_broken_streams(fake: FakeProvider, make: Make) -> None:
    for fault, kind in (
        (CutOff(how="fin", after_tokens=3), UpstreamCut),
        (NoDone(), UpstreamCut),
        (ErrorEvent(after_tokens=3), UpstreamOverloaded),
        (Html(), UpstreamMalformed),
    ):
        fake.script(Script(text=TEXT, faults=(fault,)))
        assert type(await failing(make())) is kind


async def test_relays(fake: FakeProvider, make: Make) -> None:
    provider = make()
    assert provider.dialects == {"anthropic_messages"}
    message = {"model": "fake", "messages": [{"role": "user", "content": "Hi"}]}
    told = {"anthropic-ratelimit-requests-remaining": "9", "set-cookie": "a=b"}
    fake.script(Script(text=TEXT, faults=(Headers(set=told),)))
    body = msgspec.json.encode(message | {"max_tokens": 50, "stream": True})
    headers = {"anthropic-beta": "some-2025-01-01", "x-api-key": "of-the-caller"}
    request = RelayRequest(endpoint=Endpoint.MESSAGES, model="fake", body=body, headers=headers)
    async with provider.relay(request) as response:
        assert response.headers["anthropic-ratelimit-requests-remaining"] == "9"
        assert "request-id" in response.headers
        assert "set-cookie" not in response.headers
        received = b""
        while piece := await response.read():
            received += piece
    assert [frame.event for frame in sse.Parser().feed(received)][-1] == "message_stop"
    sent = fake.requests()[-1]
    assert sent.header("anthropic-beta") == "some-2025-01-01"
    assert sent.header("x-api-key") == fake.key
    assert sent.header("anthropic-version") == "2023-06-01"

    request = RelayRequest(
        endpoint=Endpoint.COUNT_TOKENS,
        model="fake",
        body=msgspec.json.encode(message),
        headers={"anthropic-version": "2024-01-01"},
    )
    async with provider.relay(request) as response:
        assert json.loads(await response.read())["input_tokens"] > 0
    sent = fake.requests()[-1]
    assert sent.path == "/v1/messages/count_tokens"
    assert sent.header("anthropic-version") == "2024-01-01"


async def test_a_refused_relay(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=529),)))
    request = RelayRequest(
        endpoint=Endpoint.MESSAGES,
        model="fake",
        body=b'{"model":"fake","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}',
    )
    with pytest.raises(UpstreamOverloaded):
        async with make().relay(request):
            pass


async def test_lists_models(fake: FakeProvider, make: Make) -> None:
    assert "fake/fake-small" in {model.id for model in await make().models()}
    assert fake.requests()[-1].path.startswith("/v1/models")
    assert [model.id for model in await make(models=("own",)).models()] == ["fake/own"]


async def test_lists_all_pages_of_models(make: Make) -> None:
    pages = [
        {"data": [{"id": "claude-opus-4-6"}], "has_more": True, "last_id": "claude opus"},
        {"data": [{"id": "b"}], "has_more": False, "last_id": "b"},
    ]
    asked: list[str] = []

    async def say(reader, writer) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1])
        headers = (b"Content-Type: application/json", b"Connection: close")
        writer.write(answer(json.dumps(pages[len(asked) - 1]).encode(), *headers))
        await writer.drain()

    async with serving(say) as url:
        models = await make(base_url=f"{url}/messages?a=b").models()
    assert [model.name for model in models] == ["claude-opus-4-6", "b"]
    assert asked == [
        "/v1/models?a=b&limit=1000",
        "/v1/models?a=b&limit=1000&after_id=claude%20opus",
    ]


async def test_a_list_of_something_else(make: Make) -> None:
    async with serving(saying(answer(b'{"data": "x"}'))) as url:
        with pytest.raises(UpstreamMalformed, match="something else"):
            await make(base_url=url).models()
