"""Answers one call: by the first deployment that does, by another one where that breaks off."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.errors import UpstreamError
from cartrita.domain.failovers import Failover
from cartrita.domain.receipts import Receipt, require_exact
from cartrita.gateway.answers import Call, RelayMonitor
from cartrita.gateway.legs import Leg
from cartrita.gateway.retry import Attempts
from cartrita.gateway.routes import Deployment


class Answering:
    """The answer to one call; implements `Answer`. The stack holds the leg that is open."""

    def __init__(
        self,
        call: Call,
        create_leg: Callable[[Deployment], Leg],
        sleep: Callable[[float], Awaitable[object]],
        stack: AsyncExitStack,
    ) -> None:
        self._call = call
        self._create_leg = create_leg
        self._sleep = sleep
        self._stack = stack
        self._leg: Leg | None = None
        self._failovers: tuple[Failover, ...] = ()
        self.cache: str | None = None
        self.items = self._read()

    @property
    def leg(self) -> Leg:
        """The call that answers now."""
        assert self._leg is not None
        return self._leg

    @property
    def provider(self) -> str:
        return self.leg.deployment.provider

    @property
    def model(self) -> str:
        return self.leg.deployment.model

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        return self.leg.receipts

    @property
    def failovers(self) -> tuple[Failover, ...]:
        return self._failovers + self.leg.failovers

    @property
    def headers(self) -> Mapping[str, str]:
        return self.leg.headers

    @property
    def relayed(self) -> bool:
        return self.leg.monitor is not None

    @property
    def monitor(self) -> RelayMonitor | None:
        return self.leg.monitor

    async def begin(self, attempts: Attempts) -> None:
        """Make attempts until one answers. Raises CartritaError."""
        leg = self._create_leg(attempts.next())
        while not await self._opens(leg, attempts):
            following = self._create_leg(attempts.next())
            if following.deployment == leg.deployment:
                self._failovers = self._failovers[:-1]
            leg = following
        self._leg = leg
        if self._call.strict:
            require_exact(leg.receipts)

    async def _opens(self, leg: Leg, attempts: Attempts) -> bool:
        """Open a leg; false where it failed and another attempt may be made."""
        try:
            await self._stack.enter_async_context(leg.opened())
        except UpstreamError as error:
            pause = attempts.failed(leg.deployment, error)
            failed = Failover(leg.deployment.provider, leg.deployment.model, error.code)
            self._failovers = (*self._failovers, failed)
        else:
            return True
        if pause:
            await self._sleep(pause)
        return False

    async def _read(self) -> AsyncGenerator[bytes | Delta]:
        leg = self.leg
        if leg.monitor is None:
            yield Accepted(self.provider, self.model, self.receipts, self.failovers)
        while (item := await leg.read()) is not None:
            yield item
