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
from cartrita.domain.ledger import NO_USE, CallOutcome, LedgerEntry, ServiceUse, ToolSpending
from cartrita.domain.ports.ledger import UsageLedger
from cartrita.domain.usage import Usage
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.fixed_reservations import FixedReservation
from cartrita.gateway.pricing import FREE, RequestPrice

SEARCH: Final = "search"
TRANSCRIPTION: Final = "transcription"
LISTENING: Final = "listening"
"""Transcription of what is still being said."""
SPEECH: Final = "speech"
"""What is asked of services; the ledger has it where it has the model of other calls."""
TOOLS: Final = "tools"
NATIVE: Final = "native"

_NOTHING: Final = Decimal(0)
_LEFT: Final = (CallOutcome.CANCELLED, CallOutcome.CUT)
"""What becomes of a request whose answer nobody gets."""

RequestPriceOf: TypeAlias = Callable[[str, str], RequestPrice | None]
"""The price of a request, by the names of its service and of what is asked; None if unknown."""


class ServiceCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a service: for whom, for what, by the tool of which run, and what pays for it.

    `expected` is what it will likely do. `spending` is told what it cost. What has no credential
    here is paid by the server.
    """

    owner_id: str
    key_id: str | None
    tenant_id: str
    operation: str = SEARCH
    expected: ServiceUse = NO_USE
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

        What it is expected to cost is reserved. It is reported once it has begun, with all that it
        used until its context was left. Raises BudgetExhausted, and Unavailable.
        """
        price = self._price(provider, call.operation) if paid else FREE
        metered = MeteredRequest(self, price, await self._reserved(call, price))
        try:
            yield metered
        except BaseException as error:
            self._report(call, provider, metered, _outcome(error))
            raise
        self._report(call, provider, metered, CallOutcome.COMPLETED)

    async def _reserved(
        self, call: ServiceCall, price: RequestPrice | None
    ) -> FixedReservation | None:
        if self._budgets is None or price is None:
            return None
        most = price.request + price.of_use(call.expected)
        reservation = self._budgets.fixed_reservation(call, most)
        if reservation is not None:
            await reservation.open()
        return reservation

    def _report(
        self, call: ServiceCall, provider: str, metered: "MeteredRequest", outcome: CallOutcome
    ) -> None:
        if outcome in _LEFT and metered.used == NO_USE:
            metered.use(call.expected)  # nobody will tell, and the provider is paid for it
        began, spent = metered.began_at, metered.cost(outcome)
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
                model=call.operation,
                usage=Usage(),
                cost=spent,
                outcome=outcome,
                seconds=self.clock() - began,
                first_token_seconds=None,
                at=datetime.now(UTC),
                audio_seconds=metered.used.audio_seconds,
                characters=metered.used.characters,
            ),
            settlements,
        )


class MeteredRequest:
    """One request; `began_at` is a moment of its meter's clock, once it has begun.

    `used` is all that it was told it uses.
    """

    def __init__(
        self, meter: ServiceMeter, price: RequestPrice | None, reservation: FixedReservation | None
    ) -> None:
        self._meter = meter
        self._price = price
        self.reservation = reservation
        self.began_at: float | None = None
        self.used = NO_USE

    def begin(self) -> None:
        """It is made now: its turn has come."""
        self.began_at = self._meter.clock()

    def use(self, use: ServiceUse) -> None:
        """It has used this as well: what is told as it goes on adds up."""
        self.used += use

    def cost(self, outcome: CallOutcome) -> Decimal | None:
        """US dollars, None where the price is not known; services charge for answers only."""
        failed = outcome is CallOutcome.FAILED
        if self.began_at is None or (failed and self.used == NO_USE):
            return _NOTHING
        if self._price is None:
            return None
        of_use = self._price.of_use(self.used)
        return of_use if failed else self._price.request + of_use


def _outcome(error: BaseException) -> CallOutcome:
    """What became of it; one that was left or cut off may have been answered, and is paid."""
    if isinstance(error, asyncio.CancelledError):
        return CallOutcome.CANCELLED
    return CallOutcome.CUT if isinstance(error, UpstreamCut) else CallOutcome.FAILED
