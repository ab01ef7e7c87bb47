"""A provider that tries again what failed before anybody saw anything of it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from random import Random

import msgspec
import structlog

from cartrita.domain.deltas import Delta
from cartrita.domain.errors import UpstreamError
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports import ModelProvider
from cartrita.domain.requests import ModelRequest

_log = structlog.get_logger(__name__)


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and how long between: `first_pause` doubles up to `longest_pause`.

    Times are in seconds. No try begins later than `deadline` after the first one began.
    """

    tries: int = 3
    first_pause: float = 0.5
    longest_pause: float = 8.0
    deadline: float = 120.0


class Retrying:
    """Holds a provider; see `ModelProvider`.

    What a provider asks for (Retry-After) is waited for, if the deadline allows it; otherwise the
    error goes out at once. Pauses vary by chance, so that callers that failed together do not come
    back together.
    """

    def __init__(
        self,
        provider: ModelProvider,
        policy: RetryPolicy | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Random | None = None,
    ) -> None:
        self._provider = provider
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._clock = clock
        self._chance = chance or Random()  # noqa: S311 - it spreads load, it guards nothing

    @property
    def name(self) -> str:
        """Of the provider inside."""
        return self._provider.name

    async def models(self) -> list[ModelInfo]:
        """Asked once: a list can wait until somebody asks again."""
        return await self._provider.models()

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        async with aclosing(self._deltas(request)) as deltas:
            yield deltas

    async def _deltas(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        latest = self._clock() + self._policy.deadline
        tried = 0
        while True:
            seen = False
            try:
                async with self._provider.stream(request) as deltas:
                    async for delta in deltas:
                        seen = True
                        yield delta
                return
            except UpstreamError as error:
                tried += 1
                pause = self._pause(error, tried)
                if seen or not error.retryable or tried >= self._policy.tries:
                    raise
                if self._clock() + pause > latest:
                    raise
                _log.info(
                    "model_call_retried", provider=self.name, code=error.code, tried=tried,
                    pause=round(pause, 3),
                )  # fmt: skip
            await self._sleep(pause)

    def _pause(self, error: UpstreamError, tried: int) -> float:
        policy = self._policy
        pause = min(policy.first_pause * 2 ** (tried - 1), policy.longest_pause)
        return max(pause * self._chance.uniform(0.5, 1.0), error.retry_after or 0.0)
