"""A run's trace, as Langfuse receives it, tells what happened, for whom, and what it cost."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.langfuse_sink import LangfuseSink, Span, langfuse_sink
from tests.harness.scenario import Scenario, eventually, until
from tests.harness.search_services.server import SearchServices
from tests.harness.server import CALM_LEASE_S, Server
from tests.journeys.test_agents import delegation
from tests.journeys.test_traces_that_are_not_taken import events
from tests.journeys.v1 import post, post_json

CHAT = "/v1/chat/completions"
PRICES = """
[[prices]]
provider = "openai"
model = "fake"
input = 1.0
output = 2.0
cache_read = 0.1
checked = 2026-11-30
source = "a test"

[[prices]]
provider = "anthropic"
model = "fake"
input = 3.0
output = 15.0
cache_write = 3.75
checked = 2026-11-30
source = "a test"
"""
MILLION = 1_000_000
OVERLOADED = ReplacedResponse(status=503)


@pytest.fixture(scope="module")
def sink() -> Iterator[LangfuseSink]:
    with langfuse_sink() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    provider: FakeProvider,
    services: SearchServices,
    sink: LangfuseSink,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    prices = tmp_path_factory.mktemp("prices") / "prices.toml"
    prices.write_text(PRICES)
    settings = {
        **sink.settings,
        **services.settings,
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
        "CARTRITA_LEDGER_PRICES": str(prices),
        "CARTRITA_ROUTES_FIRST_PAUSE_S": "0.01",
        "LANGFUSE_TRACING_ENVIRONMENT": "tests",
        "LANGFUSE_RELEASE": "r1",
        "CARTRITA_TRACING_LINK": "https://traces.example/t/{trace_id}?v=1",
        "CARTRITA_LOG_LEVEL": "info",
    }
    with Server(provider_url=provider.base_url, lease_s=CALM_LEASE_S, settings=settings) as running:
        yield running


@pytest.fixture
def traced(server: Server, provider: FakeProvider) -> Scenario:
    return Scenario(server, provider)


async def trace_of(sink: LangfuseSink, run_id: str) -> Span:
    """The first span of a run's trace, once it has come, with all within it."""
    trace_id = run_id.removeprefix("run_")

    async def look() -> Span | None:
        return sink.root(trace_id)

    return await eventually(look)


async def trace_with(sink: LangfuseSink, word: str) -> Span:
    """The same of the trace whose root has this word in its input."""

    async def look() -> Span | None:
        found = [one for one in sink.roots() if word in (one["input"] or "")]
        return sink.root(found[0].trace_id) if found else None

    return await eventually(look)


def costs_of(generation: Span) -> dict[str, Decimal]:
    """What a generation cost by class, which adds up to its total, as decimals."""
    costs = json.loads(generation["cost_details"], parse_float=Decimal, parse_int=Decimal)
    assert sum(one for name, one in costs.items() if name != "total") == costs.pop("total")
    return costs


async def ask(scenario: Scenario, message: str, **fields: Any) -> dict[str, Any]:
    status, answer = await scenario.call("POST", "/api/chat", {"message": message, **fields})
    assert status == 200, answer
    return answer


async def test_a_trace_reads_like_a_story(traced: Scenario, sink: LangfuseSink) -> None:
    search = ToolCall(name="web_search", arguments={"query": f"moss {uuid4().hex}"})
    research = delegation(
        "researcher",
        Script(tool_calls=(search,)),
        Script(faults=(OVERLOADED,)),
        Script(text="It grows slowly."),
    )
    word = f"needle-{uuid4().hex}"
    scripts = (Script(text="I ask.", tool_calls=(research,)), Script(text="It is slow."))
    answer = await ask(traced, f"{word} {directive(*scripts)}")
    _, run = await traced.call("GET", f"/api/runs/{answer['run_id']}")
    assert run["trace_url"] == f"https://traces.example/t/{answer['metadata']['trace_id']}?v=1"
    limited = {"name": "no admin", "scopes": {"operations": ["chat", "conversations"]}}
    _, key = await traced.call("POST", "/api/keys", limited)
    headers = {"X_API_Key": key["key"]}
    _, run = await traced.call("GET", f"/api/runs/{answer['run_id']}", **headers)
    assert run["trace_url"] is None, "where traces are shown is a matter of who runs the server"
    root = await trace_of(sink, answer["run_id"])
    assert root.story() == [
        "agent supervisor",
        "  generation fake",
        "  tool delegate",
        "    agent researcher",
        "      generation fake",
        "      retriever web_search",
        "      generation fake [ERROR]",
        "      generation fake [WARNING]",
        "  generation fake",
    ]
    assert root["input"].startswith(word)
    assert root["output"] == "I ask.\n\nIt is slow."
    spans = list(root.walk())
    for span in spans:
        attributes = span.attributes
        assert attributes["user.id"]
        assert attributes["session.id"] == answer["conversation_id"]
        assert attributes["langfuse.trace.name"] == "supervisor"
        assert attributes["langfuse.trace.tags"] == ["native", "supervisor", "openai"]
        assert attributes["langfuse.environment"] == "tests"
        assert attributes["langfuse.release"] == "r1"
        assert json.loads(attributes["langfuse.trace.metadata.run_id"]) == answer["run_id"]
        assert root.start <= span.start <= span.end <= root.end
    assert [one.attributes.get("langfuse.internal.is_app_root") for one in spans] == [
        True,
        *[None] * (len(spans) - 1),
    ]
    by = [one.json("metadata.agent") for one in spans if one.kind == "generation"]
    assert sorted(by) == ["researcher"] * 3 + ["supervisor"] * 2
    searched = next(one for one in spans if one.name == "web_search")
    assert searched.json("input") == search.arguments
    failed, after = (one for one in spans if one["level"])
    assert failed["status_message"] == "upstream_overloaded"
    assert after["status_message"] == "It answered after openai/fake: upstream_overloaded"


async def test_generations_tell_what_they_used_and_cost(
    traced: Scenario, sink: LangfuseSink
) -> None:
    script = Script(text="Well then.", cache_read_tokens=5, reasoning="Hm, let me see.")
    answer = await ask(traced, traced.message(script), provider="openai", model="fake")
    root = await trace_of(sink, answer["run_id"])
    (generation,) = root.children
    usage = answer["token_usage"]
    told = generation.json("usage_details")
    assert told["total"] == usage["total_tokens"] > 0
    assert told["input"] + told.get("input_cached_tokens", 0) == usage["prompt_tokens"]
    assert told["output"] + told.get("output_reasoning_tokens", 0) == usage["completion_tokens"]
    assert told["input_cached_tokens"] == 5
    assert costs_of(generation) == {
        "input": Decimal(told["input"]) / MILLION,
        "input_cached_tokens": Decimal("0.1") * 5 / MILLION,
        "output": Decimal(2) * told["output"] / MILLION,
        "output_reasoning_tokens": Decimal(2) * told["output_reasoning_tokens"] / MILLION,
    }
    assert generation["model.name"] == "fake"
    first = generation.json("completion_start_time")
    assert first.endswith("Z")
    assert [one["role"] for one in generation.json("input")][-1] == "user"
    assert generation.json("output") == {"role": "assistant", "content": "Well then."}


async def test_what_is_written_to_a_cache_has_a_cost_of_its_own(
    traced: Scenario, sink: LangfuseSink
) -> None:
    message = traced.message(Script(text="Well then.", cache_write_tokens=40))
    answer = await ask(traced, message, provider="anthropic", model="fake")
    root = await trace_of(sink, answer["run_id"])
    (generation,) = root.children
    told = generation.json("usage_details")
    assert told["input_cache_creation"] == 40
    assert costs_of(generation) == {
        "input": Decimal(3) * told["input"] / MILLION,
        "input_cache_creation": Decimal("3.75") * 40 / MILLION,
        "output": Decimal(15) * told["output"] / MILLION,
    }


async def test_an_unknown_price_is_no_cost(traced: Scenario, sink: LangfuseSink) -> None:
    message = traced.message(Script(text="Well then."))
    answer = await ask(traced, message, provider="openai", model="fake-reasoning")
    root = await trace_of(sink, answer["run_id"])
    (generation,) = root.children
    assert generation.json("usage_details")["total"] > 0
    assert generation["cost_details"] is None


@pytest.mark.parametrize("stream", [True, False])
async def test_a_relayed_call_has_a_trace_of_its_own(
    traced: Scenario, sink: LangfuseSink, stream: bool
) -> None:
    word = f"needle-{uuid4().hex}"
    content = f"{word} {directive(Script(text='Hello there'))}"
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": content}]}
    status, _, answered = await post(traced, CHAT, {**body, "stream": stream, "temperature": 0.5})
    assert status == 200, answered
    root = await trace_with(sink, word)
    assert root.story() == ["span openai_chat", "  generation fake"]
    assert root.json("output")["content"] == "Hello there"
    assert root.attributes["langfuse.trace.tags"] == ["openai_chat"]
    assert "session.id" not in root.attributes
    (generation,) = root.children
    assert generation.json("model.parameters") == {"temperature": 0.5}
    assert generation.json("usage_details")["total"] > 0
    assert generation.json("metadata.finish_reason") == "stop"


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_from_the_cache_has_a_trace_and_costs_nothing(
    traced: Scenario, sink: LangfuseSink, stream: bool
) -> None:
    word = f"needle-{uuid4().hex}"
    content = f"{word} {directive(Script(text='Hello there'))}"
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": content}]}

    async def made() -> list[Span] | None:
        found = [one for one in sink.roots() if word in one["input"]]
        return found if len(found) == asked else None

    for asked in (1, 2):
        _, headers, _ = await post(traced, CHAT, {**body, "stream": stream}, X_Cartrita_Cache="60")
        assert headers["x-cartrita-cache"] == ("miss" if asked == 1 else "hit")
        roots = await eventually(made)
    first, second = (sink.root(one.trace_id) for one in roots)
    assert first is not None
    assert second is not None
    assert first.story() == second.story() == ["span openai_chat", "  generation fake"]
    assert (first["metadata.cached"], second["metadata.cached"]) == (None, "true")
    (generation,) = second.children
    assert generation["metadata.cached"] == "true"
    assert generation["model.name"] == "fake"
    assert generation.json("output") == {"role": "assistant", "content": "Hello there"}
    assert generation.json("cost_details") == {"total": 0}
    assert generation.json("usage_details") == {"input": 0, "output": 0, "total": 0}
    assert first.children[0].json("cost_details")["total"] > 0


async def test_the_log_names_the_trace_of_a_relayed_call(
    traced: Scenario, sink: LangfuseSink
) -> None:
    request = f"trace-{uuid4().hex}"
    content = traced.message(Script(words=3))
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": content}]}
    status, _, answered = await post(traced, CHAT, body, X_Request_ID=request)
    assert status == 200, answered

    async def look() -> str | None:
        called = events(traced, "model_called")
        return next((one["trace_id"] for one in called if one.get("request_id") == request), None)

    trace = await eventually(look)
    await until(lambda: sink.root(trace) is not None)


async def test_an_embedding_is_told_as_one(traced: Scenario, sink: LangfuseSink) -> None:
    before = len(sink.roots())
    status, answer = await post_json(
        traced, "/v1/embeddings", {"model": "openai/fake", "input": "moss"}
    )
    assert status == 200, answer

    async def look() -> list[Span] | None:
        found = [one for one in sink.roots()[before:] if one.name == "openai_embeddings"]
        return found or None

    (root,) = await eventually(look)
    whole = sink.root(root.trace_id)
    assert whole is not None
    assert whole.story() == ["span openai_embeddings", "  embedding fake"]


async def test_two_hundred_runs_at_once_tell_their_own_words(
    traced: Scenario, sink: LangfuseSink
) -> None:
    words = [f"canary{uuid4().hex}" for _ in range(200)]

    async def one(word: str, number: int) -> str:
        message = f"{word} {directive(Script(text=f'It is {word}.', between_tokens_s=0.01))}"
        if number % 2:
            body = {"model": "openai/fake", "messages": [{"role": "user", "content": message}]}
            status, _, answered = await post(traced, CHAT, {**body, "stream": number % 4 == 1})
            assert status == 200, answered
            return (await trace_with(sink, word)).trace_id
        body = {"message": message, "provider": "openai", "model": "fake"}
        while True:
            status, answer = await traced.call("POST", "/api/chat", body)
            if status != 503:  # so many at once are asked to come again
                break
        assert status == 200, answer
        return answer["run_id"].removeprefix("run_")

    ids = await asyncio.gather(*(one(word, number) for number, word in enumerate(words)))
    assert len(set(ids)) == 200
    for trace_id, word in zip(ids, words, strict=True):
        root = await trace_of(sink, trace_id)
        for span in root.walk():
            assert word in span["input"]
            assert word in span["output"]
            others = [other for other in words if other != word and other in repr(span.attributes)]
            assert not others
        assert len(list(root.walk())) == 2
