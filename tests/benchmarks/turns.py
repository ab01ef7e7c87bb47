"""Whether calls that wait have their turns: order, lost grants, deadlines and shares."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from random import Random

import msgspec
from tests.backend.adapters.valkey.granting import Taken
from tests.benchmarks.figures import Figures, table
from tests.harness.valkey import Valkey, find_binary

from cartrita.domain.errors import RateLimited
from cartrita.domain.limits import Limit, LimitKey
from cartrita.gateway.call_queues import CallQueue, GrantRequest, QueuePolicy
from cartrita.gateway.memory_grants import PacedGrants
from cartrita.gateway.pacing import Pace

_KEY = LimitKey("p")
_WAITING = 1000
_DEADLINE_S = 1.0
_FLOODED_S = 2.0
_SHARED = 200
"""Grants of two processes, 100 of them at once and then as many in a second."""


class _CountedGrants(PacedGrants):
    """Grants of 1,000 in a second, one after the other, and how many are out."""

    def __init__(self) -> None:
        super().__init__(Pace(Limit(1000, 1.0), 0.001), time.monotonic)
        self.out = 0

    def take(self) -> float:
        wait = super().take()
        self.out += not wait
        return wait

    def give_back(self) -> None:
        super().give_back()
        self.out -= 1


class _Queue:
    """A queue, and the calls that have begun: the tenant and the number of each."""

    def __init__(self, patience: float = 30.0) -> None:
        self.grants = _CountedGrants()
        self.begun: list[tuple[str, int]] = []
        self._patience = patience
        self._queue = CallQueue(_KEY, self._open, QueuePolicy())

    async def call(self, tenant: str, number: int) -> None:
        await self._queue.wait(GrantRequest(tenant=tenant, number=number), self._patience)
        self.begun.append((tenant, number))

    def pause(self, seconds: float) -> None:
        self._queue.pause(seconds)

    def _open(self, wake: Callable[[], None]) -> PacedGrants:
        return self.grants


async def measure() -> str:
    """A table of all."""
    rows: dict[str, Figures] = {
        f"{_WAITING:,} that wait, a third of which leave": await _comings_and_goings(),
        f"a deadline of {_DEADLINE_S:g} s": await _deadline(),
        "three tenants, of which one floods": await _flood(),
    }
    if find_binary() is not None:
        rows[f"{_SHARED} grants of two processes by Valkey"] = await _two_processes()
    return table("turns", rows)


async def _comings_and_goings() -> Figures:
    rng, queue, loop = Random(7), _Queue(), asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []
    for number in range(_WAITING):
        tasks.append(loop.create_task(queue.call(rng.choice("abc"), number)))
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
        if rng.random() < 1 / 3:
            rng.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    lines = [[number for one, number in queue.begun if one == tenant] for tenant in "abc"]
    return {
        "out of order": sum(after < before for line in lines for before, after in pairwise(line)),
        "lost grants": queue.grants.out - len(queue.begun),
    }


async def _deadline() -> Figures:
    """Two calls, of which the second is held up longer than was foreseen when it came."""
    queue, began = _Queue(_DEADLINE_S), time.monotonic()
    call = asyncio.get_running_loop().create_task(queue.call("a", 1))
    queue.pause(0.9 * _DEADLINE_S)
    await asyncio.sleep(0)
    queue.pause(2 * _DEADLINE_S)
    try:
        await call
    except RateLimited:
        return {"refused after s": time.monotonic() - began}
    raise AssertionError("it was not refused")


async def _flood() -> Figures:
    """Two tenants that have ten calls waiting all the time, and one that has two hundred."""
    queue, until = _Queue(), time.monotonic() + _FLOODED_S
    numbers = iter(range(1_000_000))

    async def go_on(tenant: str) -> None:
        while time.monotonic() < until:
            await queue.call(tenant, next(numbers))

    waiting = {"flood": 200, "b": 10, "c": 10}
    await asyncio.gather(
        *(go_on(tenant) for tenant, calls in waiting.items() for _ in range(calls))
    )
    shares = list(Counter(tenant for tenant, _ in queue.begun[: -sum(waiting.values())]).values())
    return {"Jain's index": sum(shares) ** 2 / (len(waiting) * sum(one**2 for one in shares))}


async def _two_processes() -> Figures:
    module = (sys.executable, "-m", "tests.backend.adapters.valkey.granting")
    with Valkey() as valkey:
        command = (*module, valkey.url, str(_SHARED // 2), "100", "1")
        pipe = asyncio.subprocess.PIPE
        both = [await asyncio.create_subprocess_exec(*command, stdout=pipe) for _ in range(2)]
        printed = await asyncio.gather(*(process.communicate() for process in both))
    told = [msgspec.json.decode(out, type=Taken) for out, _ in printed]
    grants = sorted(moment for one in told for moment in one.grants)
    last = max(told, key=lambda one: one.asked)
    early = [number - 100 - 100 * (at - grants[0]) for number, at in enumerate(grants, 1)]
    return {
        "most beyond theory": max(early),
        "reserved beyond use": round((last.asked + last.reserved - grants[0]) * 100) - _SHARED,
    }
