"""A process that takes grants of a limit that is counted in Valkey: URL, how many, their interval.

It writes, in seconds of the machine's monotonic clock, when it began, and when it got each grant.
"""

import asyncio
import json
import sys
import time

from cartrita.adapters.valkey.server import ValkeyServer
from cartrita.adapters.valkey.slots import ValkeySlots
from cartrita.domain.limits import Limit, LimitKey
from cartrita.gateway.call_queues import CallQueue, QueuePolicy, TurnRequest
from cartrita.gateway.shared_grants import SharedGrants, SharingPolicy
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.secret import Secret

KEY, INSTALLATION = LimitKey("p"), Secret("a" * 64)


async def take(url: str, calls: int, limit: Limit) -> list[float]:
    """Wait for so many grants at once."""
    server, tasks = ValkeyServer(Secret(url), timeout_s=10), OwnedTasks()
    moments = [time.monotonic()]
    async with asyncio.TaskGroup() as group:
        owner = group.create_task(tasks.run())
        await asyncio.sleep(0)
        store = SharedGrants(ValkeySlots(server, INSTALLATION), tasks, SharingPolicy(sharers=2))
        queue = CallQueue(KEY, lambda wake: store.grants(KEY, limit, wake), QueuePolicy())

        async def call(number: int) -> None:
            if not queue.take():
                await queue.wait(TurnRequest(tenant="a", number=number), 30.0)
            moments.append(time.monotonic())

        await asyncio.gather(*(call(number) for number in range(calls)))
        owner.cancel()
    await server.close()
    return moments


if __name__ == "__main__":
    url, calls, requests, seconds = sys.argv[1:]
    grants = asyncio.run(take(url, int(calls), Limit(int(requests), float(seconds))))
    sys.stdout.write(json.dumps(grants))
