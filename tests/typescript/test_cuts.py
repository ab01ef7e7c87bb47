"""A stream is cut after every one of its events, and its reader ends with the server's text."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.typescript.package import Programs
from tests.typescript.proxies import CutAfter, Network, network

pytestmark = pytest.mark.slow

_SLOWLY = Script(words=9, reasoning_words=2, between_tokens_s=0.1)
_EVENTS = 14
"""More than the answers have, but for a few that are cut after their end, which is no cut."""


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_after_every_event(
    transport: str, scenario: Scenario, programs: Programs, net: Network
) -> None:
    rules = [CutAfter(events) for events in range(_EVENTS)]
    asked = [
        {
            "name": str(rule.events),
            "base": net.proxy(scenario.server.port, rule.passage).base,
            "message": scenario.message(_SLOWLY, odd=str(rule.events)),
        }
        for rule in rules
    ]
    told = programs.run("streams", key=KEY, asked=asked, options={"transports": [transport]})
    answers = {each["name"]: each for each in told}
    for rule, question in zip(rules, asked, strict=True):
        answer = answers[str(rule.events)]
        await assert_whole(scenario, answer, question["message"])
        if rule.events < len(answer["ids"]):
            assert rule.cuts == 1, f"nothing was cut after {rule.events} events"
    assert sum(rule.cuts for rule in rules) > 5
    messages = [each["message"] for each in asked]
    assert [len(await scenario.calls_for(each)) for each in messages] == [1] * _EVENTS


async def assert_whole(scenario: Scenario, answer: dict[str, Any], message: str) -> None:
    """Every event once and in order, and the text of the database."""
    assert "error" not in answer, answer
    numbers = [int(each.rpartition(".")[2]) for each in answer["ids"] if each]
    assert numbers == sorted(set(numbers))
    assert answer["text"] == answer["content"] == answer["final"]["final_response"]
    assert answer["text"] == scenario.answers[message]
    assert answer["text"] == await scenario.text_of(answer["messageId"])


@pytest.mark.parametrize("transport", ["sse", "websocket", "polling"])
async def test_events_of_tools_come_on_every_way(
    transport: str, scenario: Scenario, programs: Programs
) -> None:
    called = ToolCall(name="calculator", arguments={"expression": "6*7"})
    message = scenario.message(Script(tool_calls=(called,)))
    asked = [{"name": "tools", "base": scenario.server.base, "message": message}]
    [told] = programs.run("streams", key=KEY, asked=asked, options={"transports": [transport]})
    assert {"stream_start", "function_call", "tool_result", "metrics", "done"} <= {*told["events"]}
    assert told["transport"] in (transport, None)
    assert told["last"] == transport
