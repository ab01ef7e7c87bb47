"""A live session holds several answers over one WebSocket, and an outbox while it is cut."""

from collections.abc import Iterator

import pytest
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.typescript.package import Programs
from tests.typescript.proxies import CutAfter, Network, network

pytestmark = pytest.mark.slow

_SLOWLY = Script(words=10, between_tokens_s=0.02)


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.mark.parametrize("events", range(0, 12, 3))
async def test_several_answers_come_over_a_socket_that_is_cut(
    events: int, scenario: Scenario, programs: Programs, net: Network
) -> None:
    rule = CutAfter(events)
    proxy = net.proxy(scenario.server.port, rule.passage)
    messages = [scenario.message(_SLOWLY, odd=f"{events}-{each}") for each in range(3)]
    *texts, end = programs.run("live", base=proxy.base, key=KEY, messages=messages)
    assert rule.cuts == 1
    assert [each["text"] for each in texts] == [scenario.answers[each] for each in messages]
    assert end["states"][-1] == "closed"
    assert end["states"].count("open") == 2
    assert [len(await scenario.calls_for(each)) for each in messages] == [1, 1, 1]


async def test_a_run_is_cancelled_and_one_is_approved(
    scenario: Scenario, programs: Programs
) -> None:
    called = ToolCall(name="calculator", arguments={"expression": "6*7"})
    told = programs.run(
        "live_runs",
        base=scenario.server.base,
        key=KEY,
        long=scenario.message(Script(words=500, between_tokens_s=0.02)),
        waits=scenario.message(Script(tool_calls=(called,))),
    )
    found = {each["name"]: each for each in told}
    assert found["cancelled"]["error"]["name"] == "CancelledError"
    assert found["approved"]["events"][-1] == "done"
    assert "tool_result" in found["approved"]["events"]
    assert found["refused"]["error"]["kind"] in ("not_found", "conflict")
    assert found["resumed"]["text"] == found["whole"]["text"]
    assert found["unknown"]["error"]["code"] == "run_not_found"
