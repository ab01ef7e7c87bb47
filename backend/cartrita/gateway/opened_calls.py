"""Open calls of providers, each of which is reported once when it is left."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, TypeVar

from cartrita.domain.errors import InvalidInput, UpstreamError
from cartrita.domain.ledger import CallOutcome
from cartrita.gateway.call_log import Reported, log_call, logs_calls
from cartrita.gateway.metering import MeteredCall

T = TypeVar("T")


class OpenedCall(Generic[T]):
    """The context of one call: it is entered when `begin` has read something of the answer.

    A call that was refused before it was sent is not reported. Generators of contexts, nested as
    these would be, cost more than all else that the gateway does.
    """

    __slots__ = ("_begin", "_begun", "_call", "_growing", "_leg", "_metered")

    def __init__(
        self,
        leg: Reported,
        metered: MeteredCall,
        call: AbstractAsyncContextManager[T],
        begin: Callable[[T], Awaitable[None]],
        *,
        growing: bool,
    ) -> None:
        """If the answer is `growing`, it is read as it comes, and covered by budgets as far."""
        self._growing = growing
        self._begun = False
        self._leg = leg
        self._metered = metered
        self._call = call
        self._begin = begin

    async def __aenter__(self) -> None:
        if (reservation := self._metered.reservation) is not None:
            await reservation.open(growing=self._growing)
        self._metered.begin()
        try:
            opened = await self._call.__aenter__()
        except BaseException as error:
            self._report(error)
            raise
        try:
            await self._begin(opened)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        self._begun = True

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._call.__aexit__(kind, error, trace)
        finally:
            self._report(error)

    def _report(self, error: BaseException | None) -> None:
        leg = self._leg
        if isinstance(error, InvalidInput) and not self._begun:
            self._metered.drop()
            return
        if isinstance(error, UpstreamError) and leg.outcome is CallOutcome.CANCELLED:
            leg.outcome = CallOutcome.FAILED
        left = leg.outcome is CallOutcome.CANCELLED
        usage = leg.usage()
        unknown = left and not self._growing
        if self._metered.call.traced_for is not None:
            self._metered.finish_reason = leg.told().finish_reason
        self._metered.end(leg.outcome, usage, unknown=unknown, error=error)
        if logs_calls():
            log_call(self._metered, leg, usage, error)
