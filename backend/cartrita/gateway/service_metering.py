"""Metering of services: each request of one is reported to the usage ledger, with its price."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from cartrita.domain.budgets import Settlement
from cartrita.domain.credentials import NO_CREDENTIALS, SERVER, CredentialsByProvider
from cartrita.domain.errors import BudgetExhausted, UpstreamCut
from cartrita.domain.ledger import NO_USE, CallOutcome, LedgerEntry, ServiceUse, ToolSpending
from cartrita.domain.ports.ledger import UsageLedger
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.principals import Principal
from cartrita.domain.run_parts import RunPart
from cartrita.domain.usage import Usage
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.fixed_reservations import FixedReservation
from cartrita.gateway.pricing import FREE, RequestPrice
from cartrita.gateway.pricing_failures import unpriced_if_it_fails
from cartrita.gateway.service_tracing import ServiceTrace, trace_of

SEARCH: Final = "search"
TRANSCRIPTION: Final = "transcription"
LISTENING: Final = "listening"
"""Transcription of what is still being said."""
SPEECH: Final = "speech"
"""What is asked of services; the ledger has it where it has the model of other calls."""
OPERATIONS: Final = frozenset({SEARCH, TRANSCRIPTION, LISTENING, SPEECH})
TOOLS: Final = "tools"
NATIVE: Final = "native"
_TRACED: Final = OPERATIONS - {SEARCH}
"""Searches are told by the tools that make them."""

_NOTHING: Final = Decimal(0)
_LEAST: Final = 64
"""Nothing is begun where not even one of so many parts of a stretch is left in the budgets."""
_LEFT: Final = (CallOutcome.CANCELLED, CallOutcome.CUT)
"""What becomes of a request whose answer nobody gets."""

RequestPriceOf: TypeAlias = Callable[[str, str, str], RequestPrice | None]
"""The price of a request, by its service, what is asked and the tenant; None if unknown."""


class ServiceCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a service: for whom, for what, by the tool of which run, and what pays for it.

    `expected` is what it will likely do, and of what goes on for long a `stretch` is reserved and
    reported at once. `spending` is told what it cost. What has no credential here is paid by the
    server. One that is traced has its `trace`.
    """

    owner_id: str
    key_id: str | None
    tenant_id: str
    operation: str = SEARCH
    expected: ServiceUse = NO_USE
    stretch: ServiceUse = NO_USE
    spending: ToolSpending | None = None
    credentials: CredentialsByProvider = NO_CREDENTIALS
    trace: ServiceTrace | None = None

    @property
    def part(self) -> RunPart | None:
        return None if self.spending is None else self.spending.part

    def credential_at(self, provider: str) -> str:
        """The id of the credential that pays for it at a provider."""
        paying = self.credentials.get(provider)
        return SERVER if paying is None else paying.id


def unknown_price(provider: str, operation: str, tenant: str) -> None:
    """The price where none is known."""


class ServiceMeter:
    """Reports requests to a ledger, and counts them against `budgets`; without them, nothing.

    The `tracer` is told of those that are traced.
    """

    def __init__(
        self,
        ledger: UsageLedger | None = None,
        price: RequestPriceOf = unknown_price,
        budgets: Budgeting | None = None,
        clock: Callable[[], float] = time.monotonic,
        tracer: Tracer | None = None,
    ) -> None:
        self._ledger = ledger
        self._tracer = tracer
        self._price = price
        self._budgets = budgets
        self.clock = clock

    def trace(self, principal: Principal, provider: str, operation: str) -> ServiceTrace | None:
        """The trace of a call, if one is made."""
        if operation not in _TRACED:
            return None
        return trace_of(self._tracer, principal, NATIVE, provider, operation)

    @asynccontextmanager
    async def request(
        self, call: ServiceCall, provider: str, *, paid: bool
    ) -> AsyncGenerator["MeteredRequest"]:
        """One request, which costs nothing unless it is `paid`.

        What it is expected to cost is reserved. It is reported once it has begun, with all that it
        used until its context was left. Raises BudgetExhausted, and Unavailable.
        """
        price = self._price(provider, call.operation, call.tenant_id) if paid else FREE
        metered = MeteredRequest(self, call, provider, price)
        await metered.reserve()
        try:
            yield metered
        except BaseException as error:
            metered.report(_outcome(error), error)
            raise
        metered.report(CallOutcome.COMPLETED)

    async def reserved(self, call: ServiceCall, most: Decimal) -> FixedReservation | None:
        """So much of the budgets of a call, if it has any. Raises BudgetExhausted, Unavailable."""
        if self._budgets is None:
            return None
        reservation = self._budgets.fixed_reservation(call, most)
        if reservation is not None:
            await reservation.open()
        return reservation

    def record(self, entry: LedgerEntry, settlements: Sequence[Settlement]) -> None:
        """See `UsageLedger.record`."""
        if self._ledger is not None:
            self._ledger.record(entry, settlements)


class MeteredRequest:
    """One request; `began_at` is a moment of its meter's clock, once it has begun.

    `used` is all that it was told it uses, since it was last reported.
    """

    def __init__(
        self, meter: ServiceMeter, call: ServiceCall, provider: str, price: RequestPrice | None
    ) -> None:
        self._meter = meter
        self._call = call
        self._provider = provider
        self._price = price
        self._reservation: FixedReservation | None = None
        self._room = call.stretch
        self._continued = False
        self.began_at: float | None = None
        self.used = NO_USE

    async def reserve(self) -> None:
        """Reserve what it is expected to cost. Raises BudgetExhausted, and Unavailable."""
        if self._price is not None:
            beside = self._price.request + self._price.of_use(self._call.expected)
            least = self._call.stretch.part(_LEAST)
            self._reservation, self._room = await self._stretch(self._price, beside, least)

    def begin(self) -> None:
        """It is made now: its turn has come."""
        self.began_at = self._meter.clock()

    def use(self, use: ServiceUse) -> None:
        """It has used this as well: what is told as it goes on adds up."""
        self.used += use

    def sent(self, text: str) -> None:
        """This text was given to be spoken, for its trace."""
        if self._call.trace is not None:
            self._call.trace.sent(text)

    def got(self, text: str, model: str | None = None) -> None:
        """This text was heard, by this model if it is told, for its trace."""
        if self._call.trace is not None:
            self._call.trace.got(text)
            self._call.trace.model = model or self._call.trace.model

    async def cover(self, use: ServiceUse) -> None:
        """It is going to use this as well, which the budgets have to allow.

        Beyond the stretch that is reserved the next one is, and what was used of it is reported: so
        much is lost at most if this process ends. Where the budgets have no whole one left, it is a
        half, a quarter and so on, down to this use. Raises BudgetExhausted, and Unavailable;
        nothing has changed then.
        """
        if not (self.used + use).within(self._room):
            await (self._begin_with(use) if self.used == NO_USE else self._go_on(use))
        self.use(use)

    def report(self, outcome: CallOutcome, error: BaseException | None = None) -> None:
        """Have it in the ledger with all that it has used, and settle what was reserved."""
        if outcome in _LEFT and self.used == NO_USE and not self._continued:
            self.use(self._call.expected)  # nobody will tell, and the provider is paid for it
        spent = self.cost(outcome)
        reservation, self._reservation = self._reservation, None
        settlements = () if reservation is None else reservation.settle(spent or _NOTHING)
        if spent and self._call.spending is not None:
            self._call.spending.tell(spent)
        if self.began_at is not None:
            entry = self._entry(self.began_at, spent, outcome)
            self._meter.record(entry, settlements)
            if self._call.trace is not None:
                self._call.trace.note(self.used, spent, outcome, error, entry.seconds)

    @unpriced_if_it_fails
    def cost(self, outcome: CallOutcome) -> Decimal | None:
        """US dollars, None where the price is not known; services charge for answers only."""
        failed = outcome is CallOutcome.FAILED
        if self.began_at is None or (failed and self.used == NO_USE):
            return _NOTHING
        if self._price is None:
            return None
        of_use = self._price.of_use(self.used)
        return of_use if failed or self._continued else self._price.request + of_use

    async def _begin_with(self, use: ServiceUse) -> None:
        """Reserve what the first use takes beyond what was reserved for it."""
        if self._price is not None and self._reservation is not None:
            beyond = self._price.of_use(use) - self._price.of_use(self._room)
            await self._reservation.grow(max(beyond, _NOTHING))

    async def _go_on(self, use: ServiceUse) -> None:
        """Begin the next stretch, which has room for this."""
        reservation, room = None, self._call.stretch
        if self._price is not None:
            reservation, room = await self._stretch(self._price, _NOTHING, use)
        self.report(CallOutcome.COMPLETED)
        self._reservation, self._room = reservation, room
        self._continued, self.used = True, NO_USE
        self.begin()

    async def _stretch(
        self, price: RequestPrice, beside: Decimal, least: ServiceUse
    ) -> tuple[FixedReservation | None, ServiceUse]:
        """Reserve a stretch, or what is left of one, but `least`; and so much `beside` it."""
        room = self._call.stretch
        while not room.within(least):
            try:
                most = beside + price.of_use(room)
                return await self._meter.reserved(self._call, most), room
            except BudgetExhausted:
                room = room.part(2)
        return await self._meter.reserved(self._call, beside + price.of_use(least)), least

    def _entry(self, began: float, spent: Decimal | None, outcome: CallOutcome) -> LedgerEntry:
        call = self._call
        part = call.part
        return LedgerEntry(
            owner_id=call.owner_id,
            key_id=call.key_id,
            run_id=None if part is None else part.run_id,
            conversation_id=None if part is None else part.conversation_id,
            agent=None if part is None else part.agent,
            surface=NATIVE if part is None else TOOLS,
            provider=self._provider,
            model=call.operation,
            usage=Usage(),
            cost=spent,
            outcome=outcome,
            seconds=self._meter.clock() - began,
            first_token_seconds=None,
            at=datetime.now(UTC),
            audio_seconds=self.used.audio_seconds,
            characters=self.used.characters,
        )


def _outcome(error: BaseException) -> CallOutcome:
    """What became of it; one that was left or cut off may have been answered, and is paid.

    One that goes on until a budget has no more has failed nobody: its provider did all of it.
    """
    if isinstance(error, BudgetExhausted):
        return CallOutcome.COMPLETED
    if isinstance(error, asyncio.CancelledError):
        return CallOutcome.CANCELLED
    return CallOutcome.CUT if isinstance(error, UpstreamCut) else CallOutcome.FAILED
