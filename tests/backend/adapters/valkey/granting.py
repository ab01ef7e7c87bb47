"""A process that takes grants of a limit that is counted in Valkey: URL, how many, their interval.

It writes, in seconds of the machine's monotonic clock, when it began, when it got each grant, and
between which two moments it was told how many seconds are reserved.
"""

import asyncio
import sys
import time

import msgspec

from cartrita.adapters.valkey.server import ValkeyServer
from cartrita.adapters.valkey.slots import ValkeySlots
from cartrita.domain.limits import Limit, LimitKey
from cartrita.gateway.call_queues import CallQueue, GrantRequest, QueuePolicy
from cartrita.gateway.shared_grants import SharedGrants, SharingPolicy
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.secret import Secret

KEY, INSTALLATION = LimitKey("p"), Secret("a" * 64)


class Taken(msgspec.Struct):
    """What a process writes."""

    began: float
    grants: list[float]
    asked: float
    reserved: float
    answered: float


async def take(url: str, calls: int, limit: Limit) -> Taken:
    """Wait for so many grants at once."""
    server, tasks = ValkeyServer(Secret(url), timeout_s=10), OwnedTasks()
    began, grants = time.monotonic(), list[float]()
    async with asyncio.TaskGroup() as group:
        owner = group.create_task(tasks.run())
        await asyncio.sleep(0)
        slots = ValkeySlots(server, INSTALLATION)
        store = SharedGrants(slots, tasks, SharingPolicy(sharers=2))
        queue = CallQueue(KEY, lambda wake: store.grants(KEY, limit, wake), QueuePolicy())

        async def call(number: int) -> None:
            if not queue.take():
                await queue.wait(GrantRequest(tenant="a", number=number), 30.0)
            grants.append(time.monotonic())

        await asyncio.gather(*(call(number) for number in range(calls)))
        asked = time.monotonic()
        reserved = await slots.reserve(KEY, count=0, interval=limit.interval)
        answered = time.monotonic()
        owner.cancel()
    await server.close()
    return Taken(began, grants, asked, reserved, answered)


if __name__ == "__main__":
    url, calls, requests, seconds = sys.argv[1:]
    taken = asyncio.run(take(url, int(calls), Limit(int(requests), float(seconds))))
    sys.stdout.buffer.write(msgspec.json.encode(taken))
