"""Against the fake upstream, a process of its own: relays, failovers and continuations."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace
from tests.backend.application.fakes import until
from tests.backend.gateway.fakes import Ledger, Time, answer_to, create_gateway, items_of
from tests.harness.fake_provider.faults import CutOff, ErrorEvent, Html, ReplacedResponse, Stall
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers.anthropic_compatible import AnthropicCompatible
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.dialect_fallback import DialectFallback
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.dialects.anthropic_messages import relay as messages_relay
from cartrita.dialects.anthropic_messages import request_parsing as messages_parsing
from cartrita.dialects.openai_chat import relay, request_parsing
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.deltas import Accepted, Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import UpstreamCut, UpstreamError, UpstreamRejected
from cartrita.domain.ports.providers import RelayResponse
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import Call, Relayable
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import Route, Target
from cartrita.kit.secret import Secret
from cartrita.kit.sse import Parser

TEXT = "one two three four five six seven eight"
BODY = msgspec.json.encode(
    {"model": "x", "stream": True, "messages": [{"role": "user", "content": "Count"}]}
)
MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
WHOLE = BODY.replace(b'"stream":true', b'"stream":false')


def upstream(fake: FakeProvider, http: HttpClient, name: str = "a") -> OpenAICompatible:
    connection = ProviderConnection(
        name=name,
        base_url=fake.base_url,
        transport=http,
        credential=Bearer(Secret(fake.key)),
        deadlines=Deadlines(connect=20, headers=20, idle=0.5, total=60),
    )
    return OpenAICompatible(connection)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def gateway(fake: FakeProvider, http: HttpClient, ledger: Ledger) -> Gateway:
    routes = {"r": Route(targets=(Target("a/fake"), Target("b/fake")))}
    providers = (upstream(fake, http), upstream(fake, http, "b"))
    return create_gateway(*providers, routes=routes, ledger=ledger)


def chat(name: str = "a/fake", body: bytes = BODY) -> Call:
    """The call that the chat surface makes of a request."""
    fields = msgspec.json.decode(body)
    streamed = fields.get("stream", False)
    monitor = partial(relay.Monitor, hide_usage=True) if streamed else relay.BodyMonitor
    return Call(
        owner_id="o",
        surface="openai",
        name=name,
        parse=lambda: request_parsing.parse(fields, "o").request,
        streamed=streamed,
        relay=Relayable(
            endpoint=Endpoint.CHAT_COMPLETIONS,
            rewrite=lambda model: relay.rewrite(
                RelayedBody.of(body), model=model, ask_for_usage=streamed
            ),
            monitor=monitor,
        ),
    )


def messages(model: str, *, stream: bool = True) -> Call:
    """The call that Anthropic's surface makes of a request."""
    fields = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    body = msgspec.json.encode({**fields, "stream": stream})
    request = messages_parsing.parse(msgspec.json.decode(body), "o").request
    return Call(
        owner_id="o",
        surface="anthropic",
        name=f"comet/{model}",
        parse=lambda: request,
        streamed=stream,
        relay=Relayable(
            endpoint=Endpoint.MESSAGES,
            rewrite=lambda name: messages_relay.rewrite(RelayedBody.of(body), model=name),
            monitor=messages_relay.Monitor if stream else messages_relay.BodyMonitor,
        ),
    )


def refused(status: int, message: str) -> ReplacedResponse:
    error = {"code": "", "message": message, "type": "comet_api_error", "param": ""}
    return ReplacedResponse(status=status, body=json.dumps({"error": error}))


def said(items: list[bytes | Delta]) -> str:
    frames = Parser().feed(b"".join(item for item in items if isinstance(item, bytes)))
    text = ""
    for frame in frames:
        if frame.data != "[DONE]":
            choices = msgspec.json.decode(frame.data)["choices"]
            text += "".join(one["delta"].get("content") or "" for one in choices)
    return text + "".join(item.text for item in items if isinstance(item, TextDelta))


def models_of(items: list[bytes | Delta]) -> set[str]:
    """The names in all chunks of an answer, or in its body."""
    passed = b"".join(item for item in items if isinstance(item, bytes))
    frames = [one.data for one in Parser().feed(passed) if one.data != "[DONE]"]
    return {msgspec.json.decode(one)["model"] for one in frames or [passed]}


async def test_a_stream_is_passed_on(fake: FakeProvider, gateway: Gateway, ledger: Ledger) -> None:
    fake.script(Script(text=TEXT))
    answer, items = await answer_to(gateway, chat())
    assert answer.relayed
    assert said(items) == TEXT
    (entry,) = ledger.entries
    assert str(entry.outcome) == "completed"
    assert entry.usage.output_tokens
    assert not entry.usage.estimated


async def test_a_body_is_passed_on(fake: FakeProvider, gateway: Gateway, ledger: Ledger) -> None:
    fake.script(Script(text=TEXT))
    async with gateway.open(chat(body=WHOLE)) as answer:
        (body,) = await items_of(answer)
    assert isinstance(body, bytes)
    assert msgspec.json.decode(body)["choices"][0]["message"]["content"] == TEXT
    assert ledger.entries[0].usage.output_tokens


@pytest.mark.parametrize("body", [BODY, WHOLE])
@pytest.mark.parametrize("asked", ["a/fake", "r", "fake"])
async def test_the_name_that_was_asked_for_is_told(
    fake: FakeProvider, gateway: Gateway, body: bytes, asked: str
) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=503),)))
    fake.script(Script(text=TEXT))
    answer, items = await answer_to(gateway, chat(asked, body))
    assert answer.relayed
    assert models_of(items) == {asked}


@pytest.mark.parametrize("body", [BODY, WHOLE])
async def test_another_name_of_the_provider_is_told(
    fake: FakeProvider, gateway: Gateway, body: bytes
) -> None:
    fake.script(Script(text=TEXT, answered_as="fake-2026"))
    answer, items = await answer_to(gateway, chat(body=body))
    assert answer.relayed
    assert models_of(items) == {"fake-2026"}
    fake.script(Script(text=TEXT, answered_as="fake-2026"))
    fake.script(Script(text=TEXT))
    for told in ("fake-2026", None):
        answer, items = await answer_to(gateway, replace(chat(body=body), relay=None))
        assert items[0] == Accepted("a", "fake", answered_as=told)
        assert answer.answered_as == told


async def test_the_rest_of_an_answer_has_the_same_name(
    fake: FakeProvider, gateway: Gateway
) -> None:
    fault = CutOff(how="rst", after_tokens=4)
    fake.script(Script(text=TEXT, between_tokens_s=0.02, faults=(fault,)))
    fake.script(Script(text=TEXT))
    answer, _ = await answer_to(gateway, chat())
    assert not answer.relayed
    assert isinstance(answer.monitor, relay.Monitor)
    assert answer.monitor.head().model == "a/fake"


@pytest.mark.parametrize("body", [BODY, WHOLE])
async def test_what_fails_unseen_goes_to_the_next(
    fake: FakeProvider, gateway: Gateway, ledger: Ledger, body: bytes
) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=503),)))
    fake.script(Script(text=TEXT))
    answer, _ = await answer_to(gateway, chat("r", body))
    assert [(one.provider, one.code) for one in answer.failovers] == [("a", "upstream_overloaded")]
    assert ledger.outcomes == [("a", "failed"), ("b", "completed")]


async def test_a_refused_request_is_refused_once(fake: FakeProvider, gateway: Gateway) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=400),)))
    with pytest.raises(UpstreamRejected):
        await answer_to(gateway, chat("r"))
    assert len(fake.requests()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        CutOff(how="rst", after_tokens=4),
        CutOff(how="fin", after_tokens=4),
        CutOff(how="end", after_tokens=4),
        Stall(after_tokens=4),
        ErrorEvent(after_tokens=4),
    ],
    ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'how', '')}",
)
@pytest.mark.parametrize("overlap", [0, 10])
async def test_a_broken_stream_is_continued(
    fake: FakeProvider, gateway: Gateway, ledger: Ledger, fault: CutOff, overlap: int
) -> None:
    fake.script(Script(text=TEXT, between_tokens_s=0.02, faults=(fault,)))
    fake.script(Script(text=TEXT, overlap=overlap))
    answer, items = await answer_to(gateway, chat())
    assert said(items) == TEXT
    last = items[-1]
    assert isinstance(last, Finished)
    assert last.reason is FinishReason.STOP
    assert last.usage == ledger.entries[0].usage + ledger.entries[1].usage
    assert ledger.outcomes == [("a", "cut"), ("a", "completed")]
    assert answer.failovers[0].continued


async def test_without_continuations_it_ends_with_an_error(
    fake: FakeProvider, http: HttpClient
) -> None:
    gateway = create_gateway(upstream(fake, http), retry=RetryPolicy(continuations=0))
    fake.script(Script(text=TEXT, between_tokens_s=0.02, faults=(CutOff(after_tokens=4),)))
    async with gateway.open(chat()) as answer:
        with pytest.raises(UpstreamCut):
            await items_of(answer)


async def test_an_error_in_the_stream_does_not_show_the_key(
    fake: FakeProvider, http: HttpClient
) -> None:
    gateway = create_gateway(upstream(fake, http), retry=RetryPolicy(attempts=1, continuations=0))
    for after in (0, 4):
        error = {"message": f"it is {fake.key}", "type": "server_error"}
        fault = ErrorEvent(after_tokens=after, error=error)
        fake.script(Script(text=TEXT, faults=(fault,)))
        with pytest.raises(UpstreamError, match=r"it is \*\*\*"):
            await answer_to(gateway, chat())


async def test_leaving_closes_the_call(
    fake: FakeProvider, gateway: Gateway, ledger: Ledger
) -> None:
    fake.script(Script(text=TEXT, faults=(Stall(after_tokens=4),)))
    async with gateway.open(chat()) as answer:
        await anext(answer.items)
        assert fake.open_streams() == 1
    await until(lambda: not fake.open_streams())
    assert ledger.outcomes == [("a", "cancelled")]


class Accepting:
    """A provider that tells when it has accepted a call."""

    def __init__(self, provider: OpenAICompatible) -> None:
        self.accepted = asyncio.Event()
        self.name, self.dialects, self.models = provider.name, provider.dialects, provider.models
        self._provider = provider

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        async with self._provider.stream(request) as deltas:
            self.accepted.set()
            yield deltas

    @asynccontextmanager
    async def relay(self, request: RelayRequest) -> AsyncGenerator[RelayResponse]:
        async with self._provider.relay(request) as response:
            self.accepted.set()
            yield response


@pytest.mark.parametrize("body", [BODY, WHOLE])
@pytest.mark.parametrize("relayed", [True, False])
async def test_a_call_that_is_left_before_a_word_has_used_its_input(
    fake: FakeProvider, http: HttpClient, ledger: Ledger, body: bytes, relayed: bool
) -> None:
    provider = Accepting(upstream(fake, http))
    fake.script(Script(text=TEXT, faults=(Stall(after_tokens=0),)))
    asked = chat(body=body) if relayed else replace(chat(body=body), relay=None)
    gateway = create_gateway(provider, ledger=ledger)
    asking = asyncio.create_task(answer_to(gateway, asked))
    await provider.accepted.wait()
    asking.cancel()
    await asyncio.wait((asking,))
    assert ledger.outcomes == [("a", "cancelled")]
    usage = ledger.entries[0].usage
    assert (usage.estimated, usage.input_tokens > 0, usage.output_tokens) == (True, True, 0)


@pytest.mark.parametrize("relayed", [True, False])
async def test_a_call_that_was_not_accepted_has_used_nothing(
    fake: FakeProvider, gateway: Gateway, ledger: Ledger, relayed: bool
) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=400),)))
    with pytest.raises(UpstreamRejected):
        await answer_to(gateway, chat() if relayed else replace(chat(), relay=None))
    assert ledger.outcomes == [("a", "failed")]
    assert ledger.entries[0].usage == Usage()


@pytest.fixture(scope="module")
def running_comet() -> Iterator[FakeProvider]:
    with fake_provider(models=["fake", "other"], manners="comet") as fake:
        yield fake


class TestAMissingEndpoint:
    """CometAPI has no /v1/messages for some models: its chat completions answer instead."""

    @pytest.fixture
    def comet(self, running_comet: FakeProvider) -> FakeProvider:
        running_comet.reset()
        return running_comet

    @pytest.fixture
    def time(self) -> Time:
        return Time()

    @pytest.fixture
    def gateway(self, comet: FakeProvider, http: HttpClient, time: Time) -> Gateway:
        connection = ProviderConnection(
            name="comet",
            base_url=comet.root_url,
            transport=http,
            credential=Bearer(Secret(comet.key)),
        )
        first, second = AnthropicCompatible(connection), OpenAICompatible(connection)
        return create_gateway(DialectFallback(first, second, clock=time.clock), time=time)

    @pytest.mark.parametrize("stream", [True, False])
    @pytest.mark.parametrize(
        "fault",
        [
            refused(404, "No such path."),
            refused(405, "Not this method."),
            refused(400, "The model is not supported on this endpoint."),
            Html(),
        ],
        ids=["404", "405", "400", "html"],
    )
    async def test_is_made_up_for_and_remembered_for_its_model(
        self,
        comet: FakeProvider,
        gateway: Gateway,
        time: Time,
        fault: ReplacedResponse | Html,
        stream: bool,
    ) -> None:
        comet.script(Script(faults=(fault,)), path=MESSAGES)
        for _ in range(2):
            answer, items = await answer_to(gateway, messages("fake", stream=stream))
            assert not answer.relayed
            assert said(items)
            assert answer.failovers == ()
        answer, _ = await answer_to(gateway, messages("other", stream=stream))
        assert answer.relayed
        time.now += 601
        answer, _ = await answer_to(gateway, messages("fake", stream=stream))
        assert answer.relayed
        paths = [exchange.path for exchange in comet.requests()]
        assert paths == [MESSAGES, CHAT, CHAT, MESSAGES, MESSAGES]
        assert gateway.health() == ()

    async def test_is_not_told_by_a_field_that_is_unsupported(
        self, comet: FakeProvider, gateway: Gateway
    ) -> None:
        fault = refused(400, "Unsupported parameter: 'top_k' is not supported with this model.")
        comet.script(Script(faults=(fault,)), path=MESSAGES)
        with pytest.raises(UpstreamRejected, match="top_k"):
            await answer_to(gateway, messages("fake"))
        answer, _ = await answer_to(gateway, messages("fake"))
        assert answer.relayed
