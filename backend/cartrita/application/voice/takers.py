"""Speech ends where nobody takes it, so that what makes it is not held for ever."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from cartrita.domain.errors import DeadlineExceeded


async def taken(
    pieces: AsyncGenerator[bytes], within_s: float, give_up: Callable[[], None]
) -> AsyncGenerator[bytes]:
    """The pieces; `give_up` is called where the next is not asked for in this time."""
    loop = asyncio.get_running_loop()
    async for piece in pieces:
        waiting = loop.call_later(within_s, give_up)
        try:
            yield piece
        finally:
            waiting.cancel()


def not_taken() -> DeadlineExceeded:
    """What the work ends with that was given up."""
    return DeadlineExceeded("Nobody has taken the speech in time.")
