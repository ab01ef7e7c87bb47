"""What the limit of a provider costs a call that need not wait, and a thousand that do."""

import asyncio
import time

from tests.benchmarks import turns
from tests.benchmarks.figures import Figures, middle, report, table
from tests.benchmarks.options import Options

from cartrita.domain.limits import Limit, LimitKey
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.call_queues import CallQueue, GrantRequest, QueuePolicy
from cartrita.gateway.calls import Call
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.memory_grants import MemoryGrants

_CALLS = 20_000
_WAITING = 1000
_KEY = LimitKey("p")


def _unread() -> ModelRequest:
    raise AssertionError("nobody reads it")


def measure(options: Options) -> None:
    """Rounds of calls that begin at once, under a limit and without one, and of waiting ones."""
    rounds = [options.run(_round()) for _ in range(options.rounds)]
    rows = {name: middle([figures[name] for figures in rounds]) for name in rounds[0]}
    report(table("one call", rows))
    report(options.run(turns.measure()))


async def _round() -> dict[str, Figures]:
    high = Limit(1_000_000_000, 60)
    return {
        "begins at once": {"us": await _at_once({"p": high})},
        "of a provider without a limit": {"us": await _at_once({})},
        f"one of {_WAITING:,} that wait": {"us": await _waiting(granted=True)},
        f"one of {_WAITING:,} that leave": {"us": await _waiting(granted=False)},
    }


async def _at_once(limits: dict[str, Limit]) -> float:
    limiter = Limiter(limits)
    call = Call(owner_id="o", surface="openai", name="p/m", parse=_unread)
    began = time.perf_counter()
    for _ in range(_CALLS):
        await limiter.grants(call, float("inf")).take("p")
    return (time.perf_counter() - began) / _CALLS * 1e6


async def _waiting(*, granted: bool) -> float:
    """Each comes, waits in a task of its own, and is let begin, or is cancelled."""
    moment = 0.0
    store = MemoryGrants(clock=lambda: moment)
    limit = Limit(1, 0.001)

    queue = CallQueue(
        _KEY, lambda wake: store.grants(_KEY, limit, wake), QueuePolicy(waiting=_WAITING)
    )
    queue.take()

    async def wait(number: int) -> None:
        await queue.wait(GrantRequest(tenant=str(number % 3), number=number), 30.0)

    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    tasks = [loop.create_task(wait(number)) for number in range(_WAITING)]
    await asyncio.sleep(0)
    for task in () if granted else tasks:
        task.cancel()
    while queue.waiting:
        moment += 0.001
        queue.pause(0.0)
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    return (time.perf_counter() - began) / _WAITING * 1e6
