"""Metering: each call of a deployment is reported to the usage ledger once."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from msgspec.structs import replace

from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.errors import CartritaError
from cartrita.domain.ledger import CallOutcome, LedgerEntry
from cartrita.domain.ports.ledger import UsageLedger
from cartrita.domain.ports.tokens import TokenCount, TokenCounter
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_classes import Costs
from cartrita.domain.token_estimates import RuleCounter, size_tokens
from cartrita.domain.usage import Usage
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.call_tracing import note_leg
from cartrita.gateway.calls import Call
from cartrita.gateway.key_tokens import KeyTokens
from cartrita.gateway.pricing import total_of
from cartrita.gateway.reservations import Reservation
from cartrita.gateway.routes import Deployment
from cartrita.kit.long_work import LARGE

CostsOf: TypeAlias = Callable[[str, str, Usage, str], Costs | None]
"""US dollars for a usage at (provider, model) of a tenant; None where a price is unknown."""


def unknown_costs(provider: str, model: str, usage: Usage, tenant: str) -> None:
    """The costs where no price is known."""


class Meter:
    """Reports calls to a ledger; without one, nothing is reported.

    `key_tokens` counts what they used for the keys that are limited in it. `counter` estimates the
    usage that a provider has not reported. What calls may use is reserved of their `budgets`, and
    settled with the report. The `tracer` is told of those that are traced, with their `costs`.
    """

    def __init__(
        self,
        ledger: UsageLedger | None = None,
        costs: CostsOf = unknown_costs,
        clock: Callable[[], float] = time.monotonic,
        counter: TokenCounter | None = None,
        budgets: Budgeting | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.budgets = budgets
        self.tracer = tracer
        self.counter = counter or RuleCounter()
        self.key_tokens = KeyTokens(clock)
        self._ledger = ledger
        self._costs = costs
        self._clock = clock

    def start(self, call: Call, deployment: Deployment, said: str = "") -> "MeteredCall":
        """A call of this deployment begins, which may go on from what was `said`."""
        metered = MeteredCall(self, call, deployment, self._clock(), continues=bool(said))
        if self.budgets is not None:
            metered.reservation = self.budgets.reservation(call, deployment, said)
        return metered

    def now(self) -> float:
        """The moment of this meter's clock."""
        return self._clock()

    def elapsed(self, since: float) -> float:
        """The seconds since a moment of this meter's clock."""
        return self._clock() - since

    def report(
        self,
        metered: "MeteredCall",
        outcome: CallOutcome,
        usage: Usage,
        error: BaseException | None,
    ) -> None:
        """Report a call that ended now, of an error if there is one."""
        call, deployment = metered.call, metered.deployment
        if not call.recorded:
            return
        self.key_tokens.add(call, usage)
        costs = self._costs(deployment.provider, deployment.model, usage, call.tenant_id)
        if self.tracer is not None and call.traced_for is not None:
            seconds = self.elapsed(metered.started_at)
            note_leg(self.tracer, call.traced_for, metered, outcome, usage, costs, error, seconds)
        if self._ledger is None:
            return
        cost, reservation = total_of(costs), metered.reservation
        settlements = () if reservation is None else reservation.settle(usage, cost)
        part = call.part
        self._ledger.record(
            LedgerEntry(
                owner_id=call.owner_id,
                key_id=call.key_id,
                run_id=call.run_id,
                conversation_id=None if part is None else part.conversation_id,
                agent=None if part is None else part.agent,
                surface=call.surface,
                provider=deployment.provider,
                model=deployment.model,
                usage=usage,
                cost=cost,
                outcome=outcome,
                seconds=self.elapsed(metered.started_at),
                first_token_seconds=metered.first_token_seconds,
                at=datetime.now(UTC),
            ),
            settlements,
        )


class MeteredCall:
    """One call of a deployment; `started_at` is a moment of its meter's clock.

    One that `continues` goes on with an answer that another call began.
    """

    def __init__(
        self,
        meter: Meter,
        call: Call,
        deployment: Deployment,
        started_at: float,
        *,
        continues: bool = False,
    ) -> None:
        self._meter = meter
        self.call = call
        self.deployment = deployment
        self.started_at = started_at
        self.continues = continues
        self.first_token_seconds: float | None = None
        self.reservation: Reservation | None = None
        self.answer: Callable[[], Sequence[Delta]] = list
        """What the model said, for its trace: read when it has ended, if at all."""
        self.answer_bytes = 0
        """About how many bytes are kept for that; its provider may claim any number of tokens."""
        self.finish_reason: FinishReason | None = None

    def begin(self) -> None:
        """It is made now; it may have waited for its turn since it was planned."""
        self.started_at = self._meter.now()

    @property
    def seconds(self) -> float:
        """For how long it has gone on."""
        return self._meter.elapsed(self.started_at)

    def drop(self) -> None:
        """It was not made after all."""
        if self.reservation is not None:
            self.reservation.settle(Usage(), None)

    def mark_first_token(self) -> None:
        """The first output has arrived."""
        self.first_token_seconds = self._meter.elapsed(self.started_at)

    def complete(self, reported: Usage, parse: Callable[[], ModelRequest], output: str) -> Usage:
        """The usage of a request that got so much output: what was reported, and else estimates.

        Some providers report one of the counts only, and 0 is none: each request has its tokens.
        """
        return self._completed(reported, output, lambda: self._count_request(parse))

    def complete_relayed(self, reported: Usage, output: str) -> Usage:
        """The same of a request that was passed on: a large one is not read, its size tells enough.

        The event loop would wait for it.
        """
        call = self.call
        if call.size >= LARGE:
            return self._completed(reported, output, lambda: size_tokens(call.size))
        return self.complete(reported, call.parse, output)

    def end(
        self,
        outcome: CallOutcome,
        usage: Usage,
        *,
        unknown: bool = False,
        error: BaseException | None = None,
    ) -> None:
        """The call has ended; if what it used is `unknown`, its budgets lose all that it might."""
        if unknown and self.reservation is not None:
            self.reservation.lose()
        self._meter.report(self, outcome, usage, error)

    def _completed(
        self, reported: Usage, output: str, count_sent: Callable[[], TokenCount | None]
    ) -> Usage:
        usage = reported
        count = self._meter.counter.count_text
        if not usage.output_tokens and (output or not usage.input_tokens):
            written = count(self.deployment.model, output)
            usage = replace(_estimated(usage, written), output_tokens=written.tokens)
        if not usage.input_tokens:
            sent = count_sent()
            if sent is None:  # only its provider understands it
                sent = TokenCount(1, count(self.deployment.model, "").error_bound)
            usage = replace(_estimated(usage, sent), input_tokens=sent.tokens)
        return usage

    def _count_request(self, parse: Callable[[], ModelRequest]) -> TokenCount | None:
        try:
            request = replace(parse(), model=self.deployment.model)
        except (CartritaError, RecursionError):  # it may be one that only its provider understands
            return None
        return self._meter.counter.count_request(request)


def _estimated(usage: Usage, count: TokenCount) -> Usage:
    return replace(usage, estimated=True, error_bound=max(usage.error_bound, count.error_bound))
