"""Tracing of services that hear and speak: which calls are traced, and what is noted of them."""

import time
from decimal import Decimal
from types import TracebackType

from cartrita.domain.ledger import CallOutcome, ServiceUse
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.principals import Principal
from cartrita.domain.traces import CallAnswered, CalledFor, ServiceCalled
from cartrita.gateway.call_tracing import code_of
from cartrita.kit.ids import uuid7


class ServiceTrace:
    """Notes the requests of one call of a service, `operation`, and its end.

    `model` does what is asked, as far as that is known.
    """

    def __init__(
        self, tracer: Tracer, called_for: CalledFor, provider: str, operation: str
    ) -> None:
        self._tracer = tracer
        self._called_for = called_for
        self._provider = provider
        self._operation = operation
        self._sent: list[str] = []
        self._got: list[str] = []
        self.model: str | None = None

    def sent(self, text: str) -> None:
        """This was given to the service, to be spoken."""
        if self._tracer.keeps_contents:
            self._sent.append(text)

    def got(self, text: str) -> None:
        """This is what the service heard."""
        if self._tracer.keeps_contents:
            self._got.append(text)

    def note(
        self,
        use: ServiceUse,
        cost: Decimal | None,
        outcome: CallOutcome,
        error: BaseException | None,
        seconds: float,
    ) -> None:
        """Note one request, which ends now."""
        sent, got = self._sent, self._got
        self._sent, self._got = [], []
        self._tracer.note(
            ServiceCalled(
                called_for=self._called_for,
                provider=self._provider,
                operation=self._operation,
                model=self.model,
                use=use,
                cost=cost,
                outcome=outcome,
                error=code_of(error),
                at=time.monotonic() - seconds,
                seconds=seconds,
                sent=" ".join(sent) or None,
                got=" ".join(got) or None,
            )
        )

    def ended(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Note that the call is over."""
        code = code_of(error)
        self._tracer.note(
            CallAnswered(
                called_for=self._called_for,
                name=self._provider if self.model is None else f"{self._provider}/{self.model}",
                provider=self._provider,
                failovers=(),
                error=code,
                left=code is None and error is not None,
                at=time.monotonic(),
            )
        )


def trace_of(
    tracer: Tracer | None, principal: Principal, surface: str, provider: str, operation: str
) -> ServiceTrace | None:
    """The trace of a call of a service, if one is made."""
    if tracer is None:
        return None
    trace_id = uuid7()
    if not tracer.samples(trace_id):
        return None
    called_for = CalledFor(
        trace_id=trace_id,
        at=time.monotonic(),
        wall=time.time(),
        owner_id=principal.owner_id,
        key_id=principal.key_id,
        surface=surface,
        caller_trace=principal.caller_trace,
        operation=operation,
    )
    return ServiceTrace(tracer, called_for, provider, operation)
