"""An open load: so many events a second over some streams, whether or not anybody keeps up."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_STEP_S = 0.005


async def paced(
    send: Callable[[int], Awaitable[None]], *, streams: int, rate: float, seconds: float
) -> int:
    """Call `send` with each stream's number in turn, `rate` times a second for each stream.

    What is late is made up for in small bursts, so that the loop is left to others in between.
    Returns how many were sent.
    """
    per_second = streams * rate
    burst = max(1, int(per_second * _STEP_S * 2))
    began = time.monotonic()
    sent = 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = min(int(elapsed * per_second) - sent, burst)
        for _ in range(due):
            await send(sent % streams)
            sent += 1
        await asyncio.sleep(0 if due == burst else _STEP_S)
    return sent
