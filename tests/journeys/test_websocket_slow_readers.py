"""WebSockets whose clients read nothing cost little memory and slow no other reader."""

import asyncio
from contextlib import AsyncExitStack

from tests.harness import processes
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.observations import Stall
from tests.harness.scenario import Scenario
from tests.harness.websockets import narrow_socket, opened, text_of

FEW, MANY = 20, 300
"""So many that what the heap grows by for other reasons (about 10 MB) is small beside them."""
LONG = Script(words=12_000, tokens_per_delta=8)
SETTINGS = {
    "CARTRITA_WEBSOCKET_PER_OWNER_MAX": "1000",
    "CARTRITA_WEBSOCKET_PING_TIMEOUT_S": "600",
}


async def test_slow_readers(serve: Serve) -> None:
    """The same twice, with few and with many: the difference is what the readers cost."""
    scenario = serve(settings=SETTINGS)
    async with AsyncExitStack() as stack:
        before = await _stalled_beside_a_fast_reader(scenario, FEW, stack)
        after = await _stalled_beside_a_fast_reader(scenario, MANY, stack)
    await scenario.check(stalls=[Stall(MANY, before, after, others_finished=True)])


async def _stalled_beside_a_fast_reader(
    scenario: Scenario, readers: int, stack: AsyncExitStack
) -> int:
    """The memory of the server when a fast reader is done and the slow ones still stall."""
    message = scenario.message(LONG)
    port = scenario.server.port
    async with opened(port) as fast:
        await fast.send(type="chat", message=message, model="openai/fake")
        begun = await fast.next()
        for _ in range(readers):
            narrow = await narrow_socket(port)
            slow = await stack.enter_async_context(opened(port, sock=narrow))
            slow.connection.transport.pause_reading()
            stack.callback(slow.connection.transport.abort)
            await slow.send(type="resume", run_id=begun["run_id"], after=0)
        assert text_of(await fast.until_end()) == scenario.answers[message]
    workers = (await asyncio.to_thread(lambda: scenario.server.tree)).workers
    return await asyncio.to_thread(processes.memory_bytes, workers)
