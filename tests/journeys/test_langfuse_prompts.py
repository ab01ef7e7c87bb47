"""Agents whose instructions are prompts of Langfuse: taken, refreshed, traced, and done without."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.langfuse_sink import LangfuseSink, langfuse_sink
from tests.harness.scenario import Scenario, eventually, until
from tests.harness.server import NOBODY
from tests.journeys.test_agents import delegation
from tests.journeys.test_traces import trace_of
from tests.journeys.test_traces_that_are_not_taken import events

AGENTS = """
[agents.lawyer]
instructions = "Work by the file."
instructions_prompt = { name = "team/lawyer" }
delegates = ["clerk"]

[agents.clerk]
instructions = "File as the file says."
instructions_prompt = { name = "clerk", version = 1 }
"""
PROMPT = "langfuse.observation.prompt"


@pytest.fixture
def configured(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "cartrita.toml"
    path.write_text(AGENTS)
    return {"CARTRITA_CONFIG": str(path)}


async def instructed(
    scenario: Scenario, agent: str = "lawyer", script: Script | None = None
) -> tuple[str, str]:
    """An answer of an agent: what its model was told as a system, and the id of the run."""
    message = scenario.message(script or Script(text="Yes."))
    answer = await scenario.chat(message=message, provider=None, model=None, agent_override=agent)
    return await told_of(scenario, message), answer["run_id"]


async def told_of(scenario: Scenario, word: str) -> str:
    """The system text of the first call with a message that has this in it."""
    exchanges = await asyncio.to_thread(scenario.provider.requests)
    for exchange in exchanges:
        # Others of this session send recordings, too.
        told = json.loads(exchange.body) if exchange.body.startswith("{") else {}
        messages = told.get("messages", [])
        if any(word in str(one["content"]) for one in messages if one["role"] == "user"):
            systems = [one["content"] for one in messages if one["role"] == "system"]
            return "\n\n".join(map(str, systems))
    raise AssertionError(f"nobody was asked {word}")


async def comes(scenario: Scenario, text: str, agent: str = "lawyer") -> str:
    """Ask until an agent works by this text; the id of that run."""

    async def look() -> str | None:
        told, run_id = await instructed(scenario, agent)
        return run_id if text in told else None

    return await eventually(look)


async def of_generation(sink: LangfuseSink, run_id: str) -> tuple[Any, Any]:
    root = await trace_of(sink, run_id)
    (one,) = [span for span in root.walk() if span.kind == "generation"]
    return one.attributes.get(f"{PROMPT}.name"), one.attributes.get(f"{PROMPT}.version")


async def test_a_prompt_is_taken_refreshed_and_traced(
    serve: Serve, configured: dict[str, str]
) -> None:
    with langfuse_sink() as sink:
        sink.prompts.add("team/lawyer", "Work by the first prompt.")
        sink.prompts.add("team/lawyer", "Work by the second prompt.", label="staging")
        scenario = serve(settings={**sink.settings, **configured})
        first = await comes(scenario, "Work by the first prompt.")
        assert await of_generation(sink, first) == ("team/lawyer", 1)
        sink.prompts.move("team/lawyer", "production", 2)
        second = await comes(scenario, "Work by the second prompt.")
        assert await of_generation(sink, second) == ("team/lawyer", 2)
        told, other = await instructed(scenario, "clerk")
        assert "File as the file says." in told, "its version does not exist"
        assert await of_generation(sink, other) == (None, None)
        assert await asyncio.to_thread(scenario.server.stop) == 0
    (complaint,) = events(scenario, "prompts_not_taken")
    assert (complaint["outcome"], complaint["prompts"]) == (404, ["clerk"])
    assert complaint["agents"] == ["clerk"]
    assert "sk-lf" not in scenario.server.log_tail(1 << 20)
    assert "/api/public" not in scenario.server.log_tail(1 << 20)


async def test_each_agent_of_a_team_has_its_own(serve: Serve, configured: dict[str, str]) -> None:
    with langfuse_sink() as sink:
        sink.prompts.add("team/lawyer", "Lead by the prompt.")
        sink.prompts.add("clerk", "File by the prompt.")
        scenario = serve(settings={**sink.settings, **configured})
        await comes(scenario, "Lead by the prompt.")
        await comes(scenario, "File by the prompt.", "clerk")
        task = delegation("clerk", Script(text="Filed."))
        message = scenario.message(Script(text="I ask.", tool_calls=(task,)))
        answer = await scenario.chat(
            message=message, provider=None, model=None, agent_override="lawyer"
        )
        root = await trace_of(sink, answer["run_id"])
        prompts = {
            (one.json("metadata.agent"), one.attributes.get(f"{PROMPT}.name"))
            for one in root.walk()
            if one.kind == "generation"
        }
        assert prompts == {("lawyer", "team/lawyer"), ("clerk", "clerk")}


async def test_langfuse_is_away_first_and_comes(serve: Serve, configured: dict[str, str]) -> None:
    with langfuse_sink() as sink:
        sink.mode = 503
        sink.prompts.add("team/lawyer", "Work by the prompt.")
        sink.prompts.add("clerk", "File by the prompt.")
        scenario = serve(settings={**sink.settings, **configured})
        told, run_id = await instructed(scenario)
        assert "Work by the file." in told
        await until(lambda: bool(events(scenario, "prompts_not_taken")))
        sink.mode = "ok"
        await comes(scenario, "Work by the prompt.")
        await until(lambda: bool(events(scenario, "prompts_taken_again")))
        assert await of_generation(sink, run_id) == (None, None)
        sink.mode = 503
        before = sink.requests
        await until(lambda: sink.requests > before + 6)
        assert "Work by the prompt." in (await instructed(scenario))[0], "the last stays"
    complaint, *_ = events(scenario, "prompts_not_taken")
    assert complaint["prompts"] == ["clerk", "team/lawyer"]
    assert "LANGFUSE_BASE_URL" in complaint["fix"]


@pytest.mark.parametrize("mode", ["hang", "cut", 301, 429, 500, "refused", "wrong keys"])
async def test_whatever_langfuse_does_agents_answer(
    serve: Serve, configured: dict[str, str], mode: Any
) -> None:
    with langfuse_sink() as sink:
        sink.prompts.add("team/lawyer", "Work by the prompt.")
        settings = {**sink.settings, **configured, "CARTRITA_TRACING_SEND_TIMEOUT_S": "0.3"}
        settings["CARTRITA_TRACING_SAMPLE"] = "0"
        match mode:
            case "wrong keys":
                settings["LANGFUSE_SECRET_KEY"] = "sk-lf-of-another-project"
            case "refused":
                settings["LANGFUSE_BASE_URL"] = NOBODY
            case _:
                sink.mode = mode
        scenario = serve(settings=settings)
        assert "Work by the file." in (await instructed(scenario))[0]
        await until(lambda: bool(events(scenario, "prompts_not_taken")))
        before = sink.requests
        if mode != "refused":
            await until(lambda: sink.requests > before + 4)
        assert "Work by the file." in (await instructed(scenario))[0]
        assert await asyncio.to_thread(scenario.server.stop) == 0
    complaints = events(scenario, "prompts_not_taken")
    assert len(complaints) <= 2, complaints
    assert all("LANGFUSE" in one["fix"] or "CARTRITA" in one["fix"] for one in complaints)
    assert "sk-lf-of" not in scenario.server.log_tail(1 << 20)


async def test_no_keys_are_no_hindrance(serve: Serve, configured: dict[str, str]) -> None:
    scenario = serve(settings=configured)
    assert "Work by the file." in (await instructed(scenario))[0]
    assert "LANGFUSE_PUBLIC_KEY" in scenario.server.log_tail(1 << 20)
