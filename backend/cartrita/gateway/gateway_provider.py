"""The gateway as a provider of one deployment or route, for what calls models by a port."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol

import msgspec

from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.principals import LOCAL_TENANT
from cartrita.domain.requests import ModelRequest
from cartrita.domain.run_parts import RunPart
from cartrita.domain.scopes import UNLIMITED, Scopes
from cartrita.gateway.answers import Answer
from cartrita.gateway.calls import CacheWish, Call, PauseListener
from cartrita.gateway.routes import Deployment


class Calls(Protocol):
    """Answers calls: the gateway."""

    async def models(self) -> list[ModelInfo]: ...

    def open(self, call: Call) -> AbstractAsyncContextManager[Answer]: ...


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes calls, for the ledger; `seconds` is the time left to the deadline of each.

    `said` is how the answers begin that are to be gone on with. For `part`,
    `on_pause`, `before_attempt` and `priced_only` see `Call`.
    """

    surface: str = "native"
    key_id: str | None = None
    part: RunPart | None = None
    seconds: float | None = None
    said: str = ""
    on_pause: PauseListener | None = None
    before_attempt: Callable[[], None] | None = None
    tenant_id: str = LOCAL_TENANT
    scopes: Scopes = UNLIMITED
    priced_only: bool = False


class GatewayProvider:
    """Answers the requests of runs by the gateway; implements `ModelProvider`.

    With a `route`, its deployments may answer; `deployment` is only its first choice.
    """

    def __init__(
        self, calls: Calls, deployment: Deployment, *, route: str | None, caller: Caller
    ) -> None:
        self._calls = calls
        self._deployment = deployment
        self._route = route
        self._caller = caller

    @property
    def name(self) -> str:
        """The name of the provider that is called first."""
        return self._deployment.provider

    async def models(self) -> list[ModelInfo]:
        """The models of that provider."""
        return [one for one in await self._calls.models() if one.provider == self.name]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        async with aclosing(self._deltas(request)) as deltas:
            yield deltas

    async def _deltas(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        call = Call(
            owner_id=request.owner_id,
            surface=self._caller.surface,
            key_id=self._caller.key_id,
            part=self._caller.part,
            seconds=self._caller.seconds,
            provider=None if self._route else self._deployment.provider,
            name=self._route or self._deployment.model,
            parse=lambda: request,
            strict=request.strict,
            cache=CacheWish(0),
            said=self._caller.said,
            on_pause=self._caller.on_pause,
            before_attempt=self._caller.before_attempt,
            tenant_id=self._caller.tenant_id,
            scopes=self._caller.scopes,
            priced_only=self._caller.priced_only,
        )
        async with self._calls.open(call) as answer:
            async for item in answer.items:
                assert not isinstance(item, bytes)  # there is no relay without `Call.relay`
                yield item
