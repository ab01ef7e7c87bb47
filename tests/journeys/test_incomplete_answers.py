"""POST /api/chat answers an incomplete run with an error that holds the partial text."""

import asyncio
from typing import Any

from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.scenario import Scenario, eventually


async def ask(scenario: Scenario, *scripts: Script) -> tuple[int, dict[str, Any]]:
    message = "".join(scenario.message(script) for script in scripts)
    body = {"message": message, "provider": "openai", "model": "fake"}
    return await scenario.call("POST", "/api/chat", body)


async def test_provider_error(scenario: Scenario) -> None:
    for status, code, expected in (
        (400, "upstream_rejected", 400),
        (401, "upstream_auth", 502),
        (402, "upstream_quota", 502),
    ):
        answered, response = await ask(scenario, Script(faults=(ReplacedResponse(status=status),)))
        assert (answered, response["code"]) == (expected, code)
        details = response["details"]
        assert (details["provider"], details["upstream_status"]) == ("openai", status)
        assert details["partial_response"] == ""
        _, run = await scenario.call("GET", f"/api/runs/{details['run_id']}")
        assert (run["status"], run["error_code"]) == ("failed", code)


async def test_empty_answer_is_an_answer(scenario: Scenario) -> None:
    """A model may say nothing; the message that the run names exists, and the talk goes on."""
    answered, response = await ask(scenario, Script(words=0))
    assert (answered, response["response"]) == (200, "")
    conversation = f"/api/conversations/{response['conversation_id']}"
    status, kept = await scenario.call("GET", f"{conversation}/messages/{response['message_id']}")
    assert (status, kept["content"], kept["status"]) == (200, "", "complete")
    message = scenario.message(Script(words=3))
    body = {"message": message, "provider": "openai", "model": "fake"}
    status, said = await scenario.call("POST", f"{conversation}/messages", body)
    assert (status, said["response"]) == (200, scenario.answers[message])


async def test_provider_disconnects_mid_answer(scenario: Scenario) -> None:
    # It is continued three times, and breaks off each time.
    cut = Script(words=100, faults=(CutOff(after_tokens=10),), between_tokens_s=0.01)
    answered, response = await ask(scenario, cut)
    assert (answered, response["code"]) == (502, "upstream_cut")
    details = response["details"]
    assert details["recoverable"] is True
    assert details["partial_response"]
    conversation = f"/api/conversations/{details['conversation_id']}"
    _, kept = await scenario.call("GET", f"{conversation}/messages/{details['message_id']}")
    assert (kept["content"], kept["status"]) == (details["partial_response"], "partial")
    status, run = await scenario.call("POST", f"/api/runs/{details['run_id']}/continue")
    assert status == 201
    assert run["id"] != details["run_id"]
    assert (await scenario.ended(run["id"].removeprefix("run_"))).ended


async def test_cancel_while_waiting(scenario: Scenario) -> None:
    message = scenario.message(Script(words=400, between_tokens_s=0.05))
    body = {
        "message": message,
        "provider": "openai",
        "model": "fake",
        "client_msg_id": message[:99],
    }
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(scenario.call("POST", "/api/chat", body))

        async def running() -> str | None:
            rows = await scenario.fetch(
                "SELECT id FROM runs WHERE client_msg_id = $1", message[:99]
            )
            return rows[0]["id"].hex if rows else None

        run = await eventually(running)
        status, _ = await scenario.call("POST", f"/api/runs/run_{run}/cancel")
        assert status == 200
    answered, response = waiting.result()
    assert (answered, response["code"]) == (409, "cancelled")
    assert response["details"]["run_id"] == f"run_{run}"


async def test_client_disconnect_does_not_stop_the_run(scenario: Scenario) -> None:
    message = scenario.message(Script(words=20, between_tokens_s=0.02))
    body = {
        "message": message,
        "provider": "openai",
        "model": "fake",
        "client_msg_id": message[:99],
    }
    waiting = asyncio.ensure_future(scenario.call("POST", "/api/chat", body))

    async def running() -> str | None:
        rows = await scenario.fetch("SELECT id FROM runs WHERE client_msg_id = $1", message[:99])
        return rows[0]["id"].hex if rows else None

    run = await eventually(running)
    waiting.cancel()
    row = await scenario.ended(run)
    assert row.status == "completed"
    assert await scenario.text_of(row.message) == scenario.answers[message]
