"""A run that waits for its provider tells its readers so, on whichever worker they are."""

from typing import Any

import pytest
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.journeys.v1 import frames, post

LATER = Script(faults=(ReplacedResponse(status=429, headers={"Retry-After": "2"}),))


def message(scenario: Scenario) -> str:
    return scenario.message(LATER) + scenario.message(Script(text="Hello there"))


async def read(scenario: Scenario, path: str, body: dict[str, Any]) -> list[tuple[str, Any]]:
    status, _, answered = await post(scenario, path, body)
    assert status == 200, answered
    return frames(answered)


async def test_the_pause_is_told(scenario: Scenario) -> None:
    body = {"message": message(scenario), "provider": "openai", "model": "fake"}
    told = [data for _, data in await read(scenario, "/api/chat/stream", body)]
    names = [event["event"] for event in told]
    assert names[:3] == ["stream_start", "queued", "token"]
    waits = told[1]["data"]
    assert (waits["position"], waits["provider"]) == (1, "openai")
    assert 0 < waits["eta_seconds"] < 3.0  # of 2 s and some jitter, less what has passed
    assert told[-1]["data"]["final_response"] == "Hello there"
    run = told[0]["data"]["run_id"]
    status, again = await scenario.call("GET", f"/api/runs/{run}")
    assert (status, again["status"], again["last_event_id"]) == (
        200,
        "completed",
        f"{run}.{len(told)}",
    )


async def test_clients_are_told_while_they_wait(scenario: Scenario) -> None:
    record = await scenario.client(scenario.plan(message=message(scenario))).run()
    by_name = {frame.event: frame for frame in record.frames()}
    assert by_name["token"].at - by_name["queued"].at > 1.0
    assert by_name["queued"].logged


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/chat/completions", {"messages": True}),
        ("/v1/responses", {"input": True}),
        ("/v1/messages", {"messages": True, "max_tokens": 99}),
    ],
    ids=["chat", "responses", "messages"],
)
async def test_other_streams_do_not_show_it(
    scenario: Scenario, path: str, fields: dict[str, Any]
) -> None:
    text = message(scenario)
    asked: dict[str, Any] = {"model": "openai/fake", "stream": True, "store": True, **fields}
    if "input" in fields:
        asked["input"] = text
    else:
        asked["messages"] = [{"role": "user", "content": text}]
    told = await read(scenario, path, asked)
    assert not any("queued" in str(name) for name, _ in told[2:])
    assert "there" in str(told)
