"""A provider that retries calls of another provider which failed before their first delta."""

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
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.requests import ModelRequest

log = structlog.get_logger()


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The number of attempts and the pauses between them.

    `first_pause` doubles after each attempt, up to `longest_pause`. No attempt begins later than
    `deadline` after the first one. Times are in seconds.
    """

    attempts: int = 3
    first_pause: float = 0.5
    longest_pause: float = 8.0
    deadline: float = 120.0


class RetryingProvider:
    """Wraps a provider; implements `ModelProvider`.

    A Retry-After is respected if the deadline allows it; otherwise the error is raised at once.
    Pauses have random jitter, so that callers that failed together do not retry together.
    """

    def __init__(
        self,
        provider: ModelProvider,
        policy: RetryPolicy | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        self._provider = provider
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._clock = clock
        self._rng = rng or Random()  # noqa: S311 - jitter needs no secure randomness

    @property
    def name(self) -> str:
        """The name of the wrapped provider."""
        return self._provider.name

    async def models(self) -> list[ModelInfo]:
        """The wrapped provider's models. Not retried: the catalog asks again by itself."""
        return await self._provider.models()

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        async with aclosing(self._deltas(request)) as deltas:
            yield deltas

    async def _deltas(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        latest_start = self._clock() + self._policy.deadline
        attempt = 0
        while True:
            streaming = False
            try:
                async with self._provider.stream(request) as deltas:
                    async for delta in deltas:
                        streaming = True
                        yield delta
                return
            except UpstreamError as error:
                attempt += 1
                pause = self._pause(error, attempt)
                if streaming or not error.retryable or attempt >= self._policy.attempts:
                    raise
                if self._clock() + pause > latest_start:
                    raise
                log.info(
                    "model_call_retried", provider=self.name, code=error.code, attempt=attempt,
                    pause=round(pause, 3),
                )  # fmt: skip
            await self._sleep(pause)

    def _pause(self, error: UpstreamError, attempt: int) -> float:
        policy = self._policy
        pause = min(policy.first_pause * 2 ** (attempt - 1), policy.longest_pause)
        return max(pause * self._rng.uniform(0.5, 1.0), error.retry_after or 0.0)
