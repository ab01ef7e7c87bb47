"""Long computations beside the event loop.

Python runs one thread at a time and changes threads every 5 ms, so the streams of a loop go on
while another thread computes. There is one such thread: the loop would wait for each of several.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE: Final = 128 << 10
"""Bytes of JSON which may take long: 100,000 short messages in 4.6 MB are read and translated in
1.2 s, and this part of them in 35 ms. To use the thread costs 0.1 ms."""

_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="long-work")


async def run_long(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns that works through so many bytes of JSON; see `LARGE`.

    It must use nothing that belongs to the loop.
    """
    if size < LARGE:
        return function(*args, **kwargs)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_thread, lambda: function(*args, **kwargs))
