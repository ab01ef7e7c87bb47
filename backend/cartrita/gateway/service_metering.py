"""Metering of services: each request of one is reported to the usage ledger, with its price."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from cartrita.domain.credentials import NO_CREDENTIALS, SERVER, CredentialsByProvider
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.ids import RunId
from cartrita.domain.ledger import CallOutcome, LedgerEntry, ToolSpending
from cartrita.domain.ports.ledger import UsageLedger
from cartrita.domain.usage import Usage
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.fixed_reservations import FixedReservation

SEARCH: Final = "search"
"""What is asked of all services today; the ledger has it where it has the model of other calls."""
TOOLS: Final = "tools"
NATIVE: Final = "native"

_NOTHING: Final = Decimal(0)

RequestPriceOf: TypeAlias = Callable[[str, str], Decimal | None]
"""The price of a request, by the names of its service and of what is asked; None if unknown."""


class ServiceCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a service: for whom, by the tool of which run, and what pays for it.

    `spending` is told what it cost. What has no credential here is paid by the server.
    """

    owner_id: str
    key_id: str | None
    tenant_id: str
    spending: ToolSpending | None = None
    credentials: CredentialsByProvider = NO_CREDENTIALS

    @property
    def run_id(self) -> RunId | None:
        return None if self.spending is None else self.spending.run_id

    def credential_at(self, provider: str) -> str:
        """The id of the credential that pays for it at a provider."""
        paying = self.credentials.get(provider)
        return SERVER if paying is None else paying.id


def unknown_price(provider: str, operation: str) -> None:
    """The price where none is known."""


class ServiceMeter:
    """Reports requests to a ledger, and counts them against `budgets`; without them, nothing."""

    def __init__(
        self,
        ledger: UsageLedger | None = None,
        price: RequestPriceOf = unknown_price,
        budgets: Budgeting | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._price = price
        self._budgets = budgets
        self.clock = clock

    @asynccontextmanager
    async def request(
        self, call: ServiceCall, provider: str, *, paid: bool
    ) -> AsyncGenerator["MeteredRequest"]:
        """One request, which costs nothing unless it is `paid`.

        It is reported once it has begun. Raises BudgetExhausted, and Unavailable.
        """
        price = self._price(provider, SEARCH) if paid else _NOTHING
        metered = MeteredRequest(self, price, await self._reserved(call, price))
        try:
            yield metered
        except BaseException as error:
            self._report(call, provider, metered, _outcome(error))
            raise
        self._report(call, provider, metered, CallOutcome.COMPLETED)

    async def _reserved(self, call: ServiceCall, price: Decimal | None) -> FixedReservation | None:
        if self._budgets is None or price is None:
            return None
        reservation = self._budgets.fixed_reservation(call, price)
        if reservation is not None:
            await reservation.open()
        return reservation

    def _report(
        self, call: ServiceCall, provider: str, metered: "MeteredRequest", outcome: CallOutcome
    ) -> None:
        began, price = metered.began_at, metered.price
        free = began is None or outcome is CallOutcome.FAILED  # services charge for answers only
        spent = _NOTHING if free else price
        reservation = metered.reservation
        settlements = () if reservation is None else reservation.settle(spent or _NOTHING)
        if spent and call.spending is not None:
            call.spending.tell(spent)
        if self._ledger is None or began is None:
            return
        self._ledger.record(
            LedgerEntry(
                owner_id=call.owner_id,
                key_id=call.key_id,
                run_id=call.run_id,
                surface=NATIVE if call.run_id is None else TOOLS,
                provider=provider,
                model=SEARCH,
                usage=Usage(),
                cost=spent,
                outcome=outcome,
                seconds=self.clock() - began,
                first_token_seconds=None,
                at=datetime.now(UTC),
            ),
            settlements,
        )


class MeteredRequest:
    """One request; `began_at` is a moment of its meter's clock, once it has begun."""

    def __init__(
        self, meter: ServiceMeter, price: Decimal | None, reservation: FixedReservation | None
    ) -> None:
        self._meter = meter
        self.price = price
        self.reservation = reservation
        self.began_at: float | None = None

    def begin(self) -> None:
        """It is made now: its turn has come."""
        self.began_at = self._meter.clock()


def _outcome(error: BaseException) -> CallOutcome:
    """What became of it; one that was left or cut off may have been answered, and is paid."""
    if isinstance(error, asyncio.CancelledError):
        return CallOutcome.CANCELLED
    return CallOutcome.CUT if isinstance(error, UpstreamCut) else CallOutcome.FAILED
