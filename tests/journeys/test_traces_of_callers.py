"""The trace that a caller asks in is referred to if its key is trusted, and by nobody else."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import Serve
from tests.harness.langfuse_sink import LangfuseSink, Span, langfuse_sink
from tests.harness.scenario import Scenario
from tests.journeys.accounts import new_key
from tests.journeys.test_traces import CHAT, trace_of, trace_with
from tests.journeys.v1 import post

from cartrita.application.keys.own_keys import BOOTSTRAP_ID

THEIRS = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
HEADER = f"00-{THEIRS}-01"


@pytest.fixture(scope="module")
def sink() -> Iterator[LangfuseSink]:
    with langfuse_sink() as running:
        yield running


@pytest.fixture
def traced(shared: Serve, sink: LangfuseSink) -> Scenario:
    return shared(settings={**sink.settings, "CARTRITA_TRACING_TRUSTED_KEYS": BOOTSTRAP_ID})


async def asked(scenario: Scenario, sink: LangfuseSink, **headers: str) -> Span:
    """The trace of a run that was asked for with these headers."""
    body = {"message": scenario.message(Script(words=3)), "provider": "openai", "model": "fake"}
    status, answer = await scenario.call("POST", "/api/chat", body, **headers)
    assert status == 200, answer
    assert answer["metadata"]["trace_id"] == answer["run_id"].removeprefix("run_")
    return await trace_of(sink, answer["run_id"])


async def relayed(scenario: Scenario, sink: LangfuseSink, **headers: str) -> Span:
    """The trace of a call that was passed on with these headers."""
    word = f"needle-{uuid4().hex}"
    content = f"{word} {directive(Script(words=3))}"
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": content}]}
    status, _, answered = await post(scenario, CHAT, body, **headers)
    assert status == 200, answered
    return await trace_with(sink, word)


def linked(root: Span) -> dict[str, Any]:
    """What refers to other traces, by name."""
    return {one.name: one.links for one in root.walk() if one.links}


async def test_a_trusted_caller_is_referred_to(traced: Scenario, sink: LangfuseSink) -> None:
    assert linked(await asked(traced, sink, traceparent=HEADER)) == {"called": [THEIRS]}
    root = await relayed(traced, sink, traceparent=HEADER)
    assert linked(root) == {"openai_chat": [THEIRS]}
    assert root.json("metadata.caller_trace") == HEADER
    assert root.trace_id not in THEIRS


@pytest.mark.parametrize(
    "header", ["", "00-1-1-01", f"01-{THEIRS}-01", f"00-{'0' * 32}-{'1' * 16}-01"]
)
async def test_what_is_no_trace_is_ignored(
    traced: Scenario, sink: LangfuseSink, header: str
) -> None:
    assert linked(await asked(traced, sink, traceparent=header)) == {}


async def test_nobody_else_is_believed(traced: Scenario, sink: LangfuseSink) -> None:
    key = (await new_key(traced, "local"))["key"]
    native = await asked(traced, sink, traceparent=HEADER, X_API_Key=key)
    passed_on = await relayed(traced, sink, traceparent=HEADER, Authorization=f"Bearer {key}")
    for root in (native, passed_on):
        assert linked(root) == {}
        assert THEIRS[:32] not in repr([one.attributes for one in root.walk()])
