"""The command line options of a benchmark."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Empty `streams`: the benchmark's default. `seconds`: of one contender in one round."""

    seconds: float = 4.0
    rounds: int = 3
    streams: tuple[int, ...] = ()
    rate: float = 10.0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """On the event loop that the product's workers use."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
