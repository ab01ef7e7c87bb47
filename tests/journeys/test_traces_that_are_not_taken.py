"""Whatever Langfuse does, answers come as without it, and the server ends in time."""

import asyncio
import json
from typing import Any

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.langfuse_sink import langfuse_sink
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import NOBODY
from tests.journeys.test_metrics import scraped
from tests.journeys.v1 import post

CHAT = "/v1/chat/completions"


def events(scenario: Scenario, name: str) -> list[dict[str, Any]]:
    """The lines of the server's log about this."""
    lines = scenario.server.log_tail(1 << 20).splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    return [one for one in told if one.get("event") == name]


async def answers(scenario: Scenario) -> None:
    """A run and a relay, both answered."""
    answer = await scenario.chat(Script(text="Hello there"))
    assert answer["response"] == "Hello there"
    content = scenario.message(Script(text="Hello again"))
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": content}]}
    status, _, answered = await post(scenario, CHAT, body)
    assert (status, json.loads(answered)["choices"][0]["message"]["content"]) == (
        200,
        "Hello again",
    )


@pytest.mark.parametrize(
    "mode", ["hang", "trickle", "cut", 429, 500, "refused", "wrong keys", "nobody"]
)
async def test_answers_come_and_the_server_ends(serve: Serve, mode: Any) -> None:
    with langfuse_sink() as sink:
        settings = {
            **sink.settings,
            "CARTRITA_TRACING_SEND_TIMEOUT_S": "60" if mode == "hang" else "0.5",
            "CARTRITA_TRACING_SHUTDOWN_S": "60" if mode == "trickle" else "0.3",
            "CARTRITA_TRACING_PENDING_MAX": "100",
        }
        match mode:
            case "wrong keys":
                settings["LANGFUSE_SECRET_KEY"] = "sk-lf-of-another-project"
            case "nobody":
                settings["LANGFUSE_BASE_URL"] = NOBODY
            case "refused":
                settings["LANGFUSE_BASE_URL"] = f"{sink.base_url}/elsewhere"
            case _:
                sink.mode = mode
        scenario = serve(settings=settings)
        for _ in range(30 if mode == "hang" else 3):
            await answers(scenario)
        if mode != "hang":

            async def told() -> bool:
                return bool(events(scenario, "traces_not_taken"))

            async def counted() -> bool:
                page = await scraped(scenario)
                return page.value("cartrita_spans_dropped_total") >= 1

            await eventually(told)
            await eventually(counted)
        assert await asyncio.to_thread(scenario.server.stop) == 0
        assert not sink.spans
    (lost,) = events(scenario, "traces_lost")
    assert lost["count"] >= 6
    complaints = events(scenario, "traces_not_taken")
    assert len(complaints) <= 2, "each kind of failure is told once"
    assert all("LANGFUSE" in one["fix"] or "CARTRITA" in one["fix"] for one in complaints)
    assert not events(scenario, "worker_killed")
    assert "sk-lf-of" not in scenario.server.log_tail(1 << 20)


async def test_the_last_traces_are_sent_before_the_end(serve: Serve) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings={**sink.settings, "CARTRITA_TRACING_FLUSH_INTERVAL_S": "60"})
        answer = await scenario.chat(Script(text="Hello there"))
        assert not sink.spans
        assert await asyncio.to_thread(scenario.server.stop) == 0
        root = sink.root(answer["run_id"].removeprefix("run_"))
        assert root is not None
        assert root.story() == ["agent supervisor", "  generation fake"]
    assert not events(scenario, "traces_lost")


async def test_what_is_not_sampled_is_not_sent(serve: Serve) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings={**sink.settings, "CARTRITA_TRACING_SAMPLE": "0.5"})
        runs = [(await scenario.chat(Script(words=3)))["run_id"] for _ in range(24)]
        assert await asyncio.to_thread(scenario.server.stop) == 0
        told = [run for run in runs if sink.root(run.removeprefix("run_"))]
        assert 0 < len(told) < 24
        assert len(sink.roots()) == len(told)


@pytest.mark.parametrize("contents", ["none", "redacted"])
async def test_a_policy_keeps_words_back(serve: Serve, contents: str) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings={**sink.settings, "CARTRITA_TRACING_CONTENTS": contents})
        await answers(scenario)
        assert await asyncio.to_thread(scenario.server.stop) == 0
        sent = b"".join(sink.bodies)
    assert len(sink.roots()) == 2
    for word in (b"Hello", b"Message ", b"sk-of-the-fake-provider"):
        assert word not in sent


async def test_a_collector_is_told_as_well(serve: Serve) -> None:
    with langfuse_sink() as sink, langfuse_sink() as collector:
        scenario = serve(
            settings={
                **sink.settings,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.base_url,
                "OTEL_EXPORTER_OTLP_HEADERS": "x-key=of-the-collector",
            }
        )
        await answers(scenario)
        assert await asyncio.to_thread(scenario.server.stop) == 0
    assert sorted(one.name for one in sink.spans) == sorted(one.name for one in collector.spans)
    assert {headers.get("x-key") for headers in collector.headers} == {"of-the-collector"}
    assert {headers.get("x-key") for headers in sink.headers} == {None}
    assert "authorization" not in collector.headers[0]


async def test_ten_megabytes_are_answered_and_told_in_part(serve: Serve) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings=sink.settings)
        content = scenario.message(Script(text="That was long.")) + " moss" * 2_000_000
        body = {"model": "openai/fake", "messages": [{"role": "user", "content": content}]}
        status, _, answered = await post(scenario, CHAT, body)
        assert status == 200, answered[:500]
        assert await asyncio.to_thread(scenario.server.stop) == 0
        (root,) = sink.roots()
        assert "That was long." in root["output"]
        assert len(root["input"]) < 25_000
