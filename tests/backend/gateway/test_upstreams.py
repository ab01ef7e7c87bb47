"""Against the fake upstream, a process of its own: relays, failovers and continuations."""

from functools import partial

import msgspec
import pytest
from tests.backend.application.fakes import until
from tests.backend.gateway.fakes import Ledger, answer_to, create_gateway, items_of
from tests.harness.fake_provider.faults import CutOff, ErrorEvent, ReplacedResponse, Stall
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script

from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import Connection
from cartrita.adapters.providers.http import HttpClient
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.adapters.providers.transport import Deadlines
from cartrita.dialects.openai_chat import relay, request_parsing
from cartrita.domain.deltas import Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import UpstreamCut, UpstreamError, UpstreamRejected
from cartrita.domain.relays import Endpoint
from cartrita.gateway.answers import Call, Relayable
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import Route, Target
from cartrita.kit.secret import Secret
from cartrita.kit.sse import Parser

TEXT = "one two three four five six seven eight"
BODY = msgspec.json.encode(
    {"model": "x", "stream": True, "messages": [{"role": "user", "content": "Count"}]}
)
WHOLE = BODY.replace(b'"stream":true', b'"stream":false')


def upstream(fake: FakeProvider, http: HttpClient, name: str = "a") -> OpenAICompatible:
    connection = Connection(
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
    parsed = request_parsing.parse(msgspec.json.decode(body), "o")
    monitor = partial(relay.Monitor, hide_usage=True) if parsed.stream else relay.BodyMonitor
    return Call(
        owner_id="o",
        surface="openai",
        name=name,
        parse=lambda: parsed.request,
        streamed=parsed.stream,
        relay=Relayable(
            endpoint=Endpoint.CHAT_COMPLETIONS,
            rewrite=lambda model: relay.rewrite(body, model=model, ask_for_usage=parsed.stream),
            monitor=monitor,
        ),
    )


def said(items: list[bytes | Delta]) -> str:
    frames = Parser().feed(b"".join(item for item in items if isinstance(item, bytes)))
    text = ""
    for frame in frames:
        if frame.data != "[DONE]":
            choices = msgspec.json.decode(frame.data)["choices"]
            text += "".join(one["delta"].get("content") or "" for one in choices)
    return text + "".join(item.text for item in items if isinstance(item, TextDelta))


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
