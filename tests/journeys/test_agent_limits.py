"""Agents that would work for ever: what limits, a cancel and tasks of their own make of that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.journeys.v1 import begin, post_json

CONFIGURATION = """
[agents.looper]
instructions = "You delegate."
delegates = ["looper"]
limits = { delegations = 5 }

[agents.hasty]
instructions = "You are quick."
tools = ["calculator"]
route = "fast"
limits = { steps = 2 }

[routes.fast]
deployments = ["openai/fake-words"]

[agents.supervisor]
delegates = ["hasty", "looper", "writer"]
"""
PRICES = """
[[prices]]
provider = "openai"
model = "fake"
checked = 2026-11-28
source = "made up"
input = "10"
output = "100"
"""
CALCULATE = ToolCall(name="calculator", arguments={"expression": "6*7"})
ENDLESS = Script(words=2000, between_tokens_s=0.05)


@pytest.fixture(scope="module")
def server(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with agents of its own, whose model has a price."""
    folder = tmp_path_factory.mktemp("limits")
    (folder / "cartrita.toml").write_text(CONFIGURATION)
    (folder / "prices.toml").write_text(PRICES)
    settings = {
        "CARTRITA_CONFIG": str(folder / "cartrita.toml"),
        "CARTRITA_LEDGER_PRICES": str(folder / "prices.toml"),
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def limited(server: Server, provider: FakeProvider) -> Scenario:
    return Scenario(server, provider)


def message(*scripts: Script) -> str:
    return f"needle-{uuid4().hex} {directive(*scripts)}"


def task(agent: str, *scripts: Script) -> ToolCall:
    """A call that gives a task to an agent."""
    return ToolCall(name="delegate", arguments={"agent": agent, "task": message(*scripts)})


async def answered(scenario: Scenario, **fields: Any) -> dict[str, Any]:
    status, answer = await scenario.call("POST", "/api/chat", fields)
    assert status == 200, answer
    return answer


CALLING = Script(tool_calls=(CALCULATE,), insist=True)


@pytest.mark.parametrize(
    ("cap", "most", "calls"),
    [("steps", 3, 4), ("tokens", 1, 2), ("cost", 0.000001, 2), ("seconds", 0.001, 2)],
)
async def test_each_cap_ends_the_work(limited: Scenario, cap: str, most: float, calls: int) -> None:
    asked = message(*[CALLING] * 9)
    answer = await answered(limited, message=asked, limits={cap: most})
    metadata = answer["metadata"]
    assert answer["finish_reason"] == "length"
    assert metadata["limit_reached"] == cap
    assert metadata["iterations"] == calls
    (use,) = metadata["agents"]
    assert (use["agent"], use["model_calls"]) == ("supervisor", calls)
    assert use["token_usage"] == answer["token_usage"]
    tokens = use["token_usage"]
    cost = (tokens["prompt_tokens"] * 10 + tokens["completion_tokens"] * 100) / 1e6
    assert use["cost"] == pytest.approx(cost)
    assert 0 < metadata["execution_time_seconds"] < 30


@pytest.mark.parametrize("unpriced", ["allow", "refuse"])
async def test_a_model_without_a_price_under_a_cap_on_cost(
    serve: Serve, tmp_path: Path, unpriced: str
) -> None:
    (tmp_path / "prices.toml").write_text(PRICES)
    configuration = f'{CONFIGURATION}\n[agents]\nunpriced = "{unpriced}"\n'
    configuration += '[agents.thrifty]\nroute = "fast"\nlimits = { cost = 5.0 }\n'
    configuration += 'instructions = "You save."\n[routes.either]\n'
    configuration += 'deployments = ["openai/fake-words", "openai/fake"]\n'
    (tmp_path / "cartrita.toml").write_text(configuration)
    scenario = serve(
        settings={
            "CARTRITA_CONFIG": str(tmp_path / "cartrita.toml"),
            "CARTRITA_LEDGER_PRICES": str(tmp_path / "prices.toml"),
        }
    )

    async def asked(**fields: Any) -> tuple[int, str | None]:
        body = {"message": message(Script(text="Hi")), **fields}
        status, answer = await scenario.call("POST", "/api/chat", body)
        return status, answer.get("code") or answer.get("model")

    refused = (403, "price_unknown")
    unknown = {"provider": "openai", "model": "fake-words"}
    lenient = unpriced == "allow"
    assert await asked(**unknown) == (200, "fake-words")
    found = await asked(**unknown, limits={"cost": 5.0})
    assert found == ((200, "fake-words") if lenient else refused)
    found = await asked(agent_override="thrifty")
    assert found == ((200, "fake-words") if lenient else refused)
    found = await asked(model="either", limits={"cost": 5.0})
    assert found == (200, "fake-words" if lenient else "fake")
    assert await asked(model="openai/fake", limits={"cost": 5.0}) == (200, "fake")


async def test_what_is_being_said_ends_when_its_seconds_are_used_up(limited: Scenario) -> None:
    answer = await answered(limited, message=message(ENDLESS), limits={"seconds": 1})
    assert answer["metadata"]["limit_reached"] == "seconds"
    assert answer["response"]
    assert answer["metadata"]["iterations"] == 1

    async def nobody_reads() -> bool:
        return limited.provider.open_streams() == 0

    await eventually(nobody_reads)


async def test_a_model_of_v1_has_the_caps_of_its_agent(limited: Scenario) -> None:
    asked = [{"role": "user", "content": message(*[CALLING] * 9)}]
    body = {"model": "cartrita-hasty", "messages": asked}
    status, completion = await post_json(limited, "/v1/chat/completions", body)
    assert status == 200, completion
    assert completion["choices"][0]["finish_reason"] == "length"
    assert completion["metadata"]["iterations"] == 3


async def test_an_agent_works_by_the_models_of_its_route(limited: Scenario) -> None:
    asked = {"message": message(Script(text="Hi")), "agent_override": "hasty"}
    assert (await answered(limited, **asked))["model"] == "fake-words"
    answer = await answered(limited, **asked, provider="openai", model="fake")
    assert (answer["agent_type"], answer["model"]) == ("hasty", "fake")


async def test_a_cap_counts_the_steps_of_all_agents(limited: Scenario) -> None:
    given = [task("writer", *[CALLING] * 4) for _ in range(2)]
    first = Script(tool_calls=tuple(given))
    answer = await answered(limited, message=message(first, CALLING), limits={"steps": 4})
    assert answer["metadata"]["limit_reached"] == "steps"
    assert answer["metadata"]["iterations"] == 4 + 3, "and each of the three concludes"


async def test_the_cap_of_a_task_is_told_to_who_gave_it(limited: Scenario) -> None:
    given = task("hasty", *[CALLING] * 9)
    asked = message(Script(tool_calls=(given,)), Script(text="I see."))
    answer = await answered(limited, message=asked)
    assert answer["metadata"]["limit_reached"] is None
    assert answer["metadata"]["agents_used"] == ["supervisor", "hasty"]
    (result,) = [part for part in answer["message"]["parts"] if part["type"] == "tool_result"]
    assert "steps" in result["content"][0]["text"]


async def test_an_agent_that_delegates_to_itself_comes_to_an_end(limited: Scenario) -> None:
    """Every model call of every agent gives one more task: depth and count are bounded."""
    again = Script(text="No more.")
    for _ in range(5):
        again = Script(tool_calls=(task("looper", again),), insist=True)
    answer = await answered(limited, message=message(again), agent_override="looper")
    assert answer["metadata"]["agents_used"] == ["looper"]
    assert answer["metadata"]["limit_reached"] == "steps"
    rows = await limited.fetch(
        "SELECT data->>'type' AS type, count(*) AS n FROM run_events"
        " WHERE run_id = $1::text::uuid GROUP BY 1",
        answer["run_id"].removeprefix("run_"),
    )
    assert {row["type"]: row["n"] for row in rows}["task_started"] == 5
    results = [part for part in answer["message"]["parts"] if part["type"] == "tool_result"]
    assert "used up its 5 tasks" in results[-1]["content"][0]["text"]


async def waited_for(scenario: Scenario, run: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        _, found = await scenario.call("GET", f"/api/runs/{run}")
        return found if found["ended_at"] else None

    return await eventually(look)


SLOW_TASK = Script(tool_calls=(task("writer", ENDLESS), task("writer", ENDLESS)))


@pytest.mark.parametrize("during", ["model call", "task", "approval"])
async def test_a_cancel_ends_whatever_is_being_done(limited: Scenario, during: str) -> None:
    scripts = {
        "model call": [ENDLESS],
        "task": [SLOW_TASK, ENDLESS],
        "approval": [Script(tool_calls=(CALCULATE,)), ENDLESS],
    }[during]
    body: dict[str, Any] = {"message": message(*scripts), "client_msg_id": uuid4().hex}
    if during == "approval":
        body["approval"] = "always"
        status, told = await limited.call("POST", "/api/chat", body)
        assert status == 202, told
        run = told["run_id"]
    else:
        run = await begun(limited, body, calls=1 if during == "model call" else 2)
    status, _ = await limited.call("POST", f"/api/runs/{run}/cancel")
    assert status == 200
    ended = await waited_for(limited, run)
    assert ended["status"] == "cancelled"

    async def nobody_reads() -> bool:
        return limited.provider.open_streams() == 0

    await eventually(nobody_reads)
    conversation = f"/api/conversations/{ended['conversation_id']}/messages"
    status, _ = await limited.call("POST", conversation, {"message": message(Script(text="Hi"))})
    assert status == 200


async def test_an_answer_goes_on_after_the_steps_that_it_did(limited: Scenario) -> None:
    scripts = (Script(tool_calls=(CALCULATE,)), ENDLESS, Script(text="and the end."))
    body = {"message": message(*scripts), "client_msg_id": uuid4().hex}
    run = await begun(limited, body, calls=1)

    async def speaking() -> bool:
        rows = await limited.fetch(
            "SELECT 1 FROM run_events WHERE run_id = $1::text::uuid"
            " AND data->>'type' = 'text_appended'",
            run.removeprefix("run_"),
        )
        return len(rows) > 0

    await eventually(speaking)
    await limited.call("POST", f"/api/runs/{run}/cancel")
    ended = await waited_for(limited, run)
    status, admitted = await limited.call("POST", f"/api/runs/{run}/continue")
    assert status == 201, admitted
    again = await waited_for(limited, admitted["id"])
    assert again["status"] == "completed"
    place = f"/api/conversations/{ended['conversation_id']}/messages/{again['message_id']}"
    _, answer = await limited.call("GET", place)
    kinds = [part["type"] for part in answer["parts"]]
    assert kinds == ["tool_call", "tool_result", "text"]
    assert answer["content"].endswith("and the end.")


async def begun(scenario: Scenario, body: dict[str, Any], calls: int) -> str:
    """A run in which so many answers are being read from the provider."""
    async with await begin(scenario, "/api/chat", {**body, "stream": True}) as answer:
        assert answer.status == 200

        async def reading() -> bool:
            return scenario.provider.open_streams() >= calls

        await eventually(reading)
        rows = await scenario.fetch(
            "SELECT id FROM runs WHERE client_msg_id = $1", body["client_msg_id"]
        )
    return f"run_{rows[0]['id'].hex}"
