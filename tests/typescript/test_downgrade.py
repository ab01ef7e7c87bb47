"""Where a stream does not come through, the answer comes another way, once and whole."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.typescript.package import Programs
from tests.typescript.proxies import Buffering, Network, Passage, network

pytestmark = pytest.mark.slow

_HASTY = {"firstByte": 300}
_SLOWLY = Script(words=40, between_tokens_s=0.05)


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


def holding(*, sockets: bool) -> Any:
    def passage() -> Passage:
        return Buffering(sockets=sockets)

    return passage


async def read(
    scenario: Scenario, programs: Programs, base: str, message: str, **options: Any
) -> dict[str, Any]:
    asked = [{"name": "one", "base": base, "message": message}]
    [told] = programs.run("streams", key=KEY, asked=asked, options=options)
    assert "error" not in told, told
    assert len(await scenario.calls_for(message)) == 1
    return told


@pytest.mark.parametrize(("sockets", "way"), [(True, "websocket"), (False, "polling")])
async def test_a_proxy_that_buffers(
    sockets: bool, way: str, scenario: Scenario, programs: Programs, net: Network
) -> None:
    proxy = net.proxy(scenario.server.port, holding(sockets=sockets))
    message = scenario.message(_SLOWLY)
    told = await read(scenario, programs, proxy.base, message, patience=_HASTY)
    assert told["last"] == way
    assert told["text"] == told["content"] == scenario.answers[message]


async def test_a_proxy_that_is_not_there_is_no_reason_to_leave_the_best_way(
    scenario: Scenario, programs: Programs
) -> None:
    message = scenario.message(Script(words=5))
    told = await read(scenario, programs, scenario.server.base, message)
    assert told["last"] == "sse"


async def test_polling_tells_what_a_person_is_to_decide(
    scenario: Scenario, programs: Programs
) -> None:
    called = ToolCall(name="calculator", arguments={"expression": "6*7"})
    message = scenario.message(Script(tool_calls=(called,)))
    [told] = programs.run(
        "approvals", base=scenario.server.base, key=KEY, message=message, transports=["polling"]
    )
    assert told["events"].count("approval_required") == 1
    assert told["events"][-1] == "done"
    assert told["status"] == "completed"
