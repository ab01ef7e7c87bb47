"""Long computations beside the event loop.

Python runs one thread at a time and changes threads every 5 ms, so the streams of a loop go on
while another thread computes. There is one such thread: the loop would wait for each of several.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE: Final = 128 << 10
"""Bytes of JSON which may take long: 100,000 short messages in 4.6 MB are read and translated in
1.2 s, and this part of them in 35 ms. To use the thread costs 0.1 ms."""

_AT_ONCE: Final = 32
"""Values that are handed on before others have their turn."""

_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="long-work")


async def run_long(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns that works through so many bytes, as of JSON; see `LARGE`.

    It must use nothing that belongs to the loop.
    """
    if size < LARGE:
        return function(*args, **kwargs)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_thread, lambda: function(*args, **kwargs))


class InTurns(Generic[T]):
    """Iterates values that are there already; now and then the other tasks of the loop go on.

    Who writes each of many values out waits for nothing as long as its reader is fast.
    """

    __slots__ = ("_count", "_values")

    def __init__(self, values: Iterable[T]) -> None:
        self._values = iter(values)
        self._count = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        self._count += 1
        if self._count % _AT_ONCE == 0:
            await asyncio.sleep(0)
        for value in self._values:
            return value
        raise StopAsyncIteration
