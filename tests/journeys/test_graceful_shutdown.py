"""SIGTERM during streams: each client is disconnected, reconnects and gets its whole answer."""

import asyncio
import signal
from collections.abc import Iterator

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.journeys import v1

STREAMS = 40
SCRIPT = Script(words=60, between_tokens_s=0.05)


async def test_an_answer_that_is_passed_on_is_finished(serve: Serve) -> None:
    """It takes longer than the five seconds that every open connection is given."""
    scenario = serve(settings={"CARTRITA_SERVER_DRAIN_S": "20"})
    script = Script(words=70, between_tokens_s=0.1)
    body = {
        "model": "openai/fake",
        "messages": [{"role": "user", "content": scenario.message(script)}],
        "stream": True,
    }
    async with await v1.begin(scenario, "/v1/chat/completions", body) as answer:
        assert answer.status == 200
        stopping = asyncio.to_thread(scenario.server.stop)
        received, stopped = await asyncio.gather(answer.body(), stopping)
    assert v1.frames(received)[-1] == ("", "[DONE]")
    assert stopped == 0


async def test_sigterm_during_streams(serve: Serve) -> None:
    # Its leases are long, since nobody loses one here, however busy the machine is.
    scenario = serve(workers=2, lease_s=15.0)
    clients = [scenario.client(scenario.plan(SCRIPT)) for _ in range(STREAMS)]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
        for client in clients:
            await scenario.received(client.record, 3)
        assert await asyncio.to_thread(scenario.server.stop) == 0
        left = await asyncio.to_thread(scenario.server.wait_until_gone)
        assert left == []
        log = scenario.server.log_tail(1 << 20)
        await asyncio.to_thread(scenario.server.restart)
    read = await scenario.check()
    assert {run.status for run in read.runs.values()} <= {"completed", "interrupted"}
    # The database outlives the workers, so that they can end their runs and leave in order.
    for trouble in ("lease_not_released", "flush_failed", "heartbeat_failed", "database_away"):
        assert trouble not in log
    assert "run_interrupted" not in scenario.server.log_tail(
        1 << 20
    )  # nothing for the reaper to do
    for client in clients:
        first = client.record.connections[0]
        assert (first.status, first.ended) == (200, "clean"), first.problem


@pytest.fixture
def hang_up() -> Iterator[None]:
    """SIGHUP ends what is started here, although the tests may run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up")
def test_a_closed_terminal_stops_it_in_order(serve: Serve) -> None:
    scenario = serve()
    assert scenario.server.stop(signal.SIGHUP) == 0
    assert scenario.server.wait_until_gone() == []
    assert "lease_not_released" not in scenario.server.log_tail(1 << 20)
