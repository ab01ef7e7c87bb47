"""What is heard and spoken has a trace of its own, request by request, in words alone."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.backend.fake_services import Calls, FakeService, principal
from tests.backend.gateway.fakes import Ledger
from tests.backend.gateway.test_call_tracing import FakeTracer
from tests.backend.gateway.test_service_calls import failure
from tests.backend.gateway.test_service_metering import SPOKEN

from cartrita.domain.errors import RateLimited, UpstreamOverloaded, UpstreamQuota
from cartrita.domain.ledger import CallOutcome, ServiceUse
from cartrita.domain.limits import Limit
from cartrita.domain.traces import ServiceCalled
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.pricing import RequestPricing
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import (
    LISTENING,
    SEARCH,
    SPEECH,
    TRANSCRIPTION,
    MeteredRequest,
    ServiceMeter,
)


class Traced:
    """Calls of a Deepgram with a key, which are traced."""

    def __init__(self, tracer: FakeTracer | None = None, *, priced: bool = True) -> None:
        self.tracer = tracer or FakeTracer()
        self.fake = Calls()
        prices = RequestPricing(
            [SPOKEN, replace(SPOKEN, operation=TRANSCRIPTION)] if priced else []
        )
        self.service = FakeService("deepgram", "key")
        self.ledger = Ledger()
        self.calls = ServiceCalls(
            Limiter({"deepgram": Limit(2, 1e6)}, clock=self.fake.time.clock),
            self.fake.paying,
            self.fake.uses,
            meter=ServiceMeter(self.ledger, prices.price, tracer=self.tracer),
            sleep=self.fake.time.sleep,
        )

    async def hear(self, operation: str = TRANSCRIPTION) -> str:
        def note(request: MeteredRequest, result: str) -> None:
            request.use(ServiceUse(audio_seconds=2.5))
            request.got("Moss.", "nova-3")

        caller = replace(principal(), caller_trace="00-1-2-01")
        return await self.calls.ask(
            caller, self.service, FakeService.call, operation=operation, note=note
        )

    async def speak(self) -> None:
        opening = self.calls.open(
            principal(),
            self.service,
            opened,
            operation=SPEECH,
            model="aura-2",
            text="Hello.",
            expected=ServiceUse(characters=6),
        )
        async with opening as (_, request):
            request.use(ServiceUse(characters=6))

    @property
    def requests(self) -> list[ServiceCalled]:
        return [one for one in self.tracer.facts if isinstance(one, ServiceCalled)]


@asynccontextmanager
async def opened(service: FakeService) -> AsyncGenerator[str]:
    yield await service.call()


async def test_what_was_heard_is_noted_with_its_use_and_cost() -> None:
    traced = Traced()
    await traced.hear()
    (one,) = traced.requests
    (entry,) = traced.ledger.entries
    assert (one.provider, one.operation, one.model) == ("deepgram", "transcription", "nova-3")
    assert (one.use, one.outcome, one.error) == (ServiceUse(2.5), CallOutcome.COMPLETED, None)
    assert one.cost == entry.cost == Decimal("0.026")
    assert (one.sent, one.got) == (None, "Moss.")
    called_for = one.called_for
    assert (called_for.owner_id, called_for.key_id, called_for.part) == ("ann", "key", None)
    assert (called_for.operation, called_for.caller_trace) == ("transcription", "00-1-2-01")
    (answered,) = traced.tracer.answers
    assert answered.called_for == called_for
    assert (answered.name, answered.provider) == ("deepgram/nova-3", "deepgram")
    assert (answered.error, answered.left) == (None, False)


async def test_an_unknown_price_is_no_cost() -> None:
    traced = Traced(priced=False)
    await traced.speak()
    (one,) = traced.requests
    assert (one.cost, one.use, one.sent, one.got) == (None, ServiceUse(0.0, 6), "Hello.", None)


async def test_each_attempt_is_noted_in_one_trace() -> None:
    traced = Traced()
    traced.service.failures = [failure(UpstreamOverloaded)]
    await traced.speak()
    failed, spoken = traced.requests
    assert (failed.outcome, failed.error) == (CallOutcome.FAILED, "upstream_overloaded")
    assert (failed.cost, failed.sent, failed.model) == (Decimal(0), "Hello.", "aura-2")
    assert (spoken.outcome, spoken.sent) == (CallOutcome.COMPLETED, "Hello.")
    assert len({one.called_for for one in traced.requests}) == 1
    assert len(traced.tracer.answers) == 1


async def test_what_fails_says_why() -> None:
    traced = Traced()
    traced.service.failures = [failure(UpstreamQuota)]
    with pytest.raises(UpstreamQuota) as raised:
        await traced.hear()
    code = raised.value.code
    assert [one.error for one in traced.requests] == [code]
    assert [(one.error, one.left) for one in traced.tracer.answers] == [(code, False)]


async def test_what_never_began_has_an_end_alone() -> None:
    traced = Traced()
    for _ in range(2):
        await traced.hear()
    with pytest.raises(RateLimited):
        await traced.hear()
    assert len(traced.requests) == 2
    assert [one.error for one in traced.tracer.answers] == [None, None, "rate_limited"]


async def test_what_is_left_says_so() -> None:
    traced, asked = Traced(), asyncio.Event()

    async def wait() -> None:
        asked.set()
        await asyncio.Event().wait()

    traced.service.waits = wait
    speaking = asyncio.create_task(traced.speak())
    await asked.wait()
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking
    assert [one.outcome for one in traced.requests] == [CallOutcome.CANCELLED]
    assert traced.tracer.answers[0].left


async def test_each_stretch_is_noted_with_its_own_words() -> None:
    traced = Traced()
    opening = traced.calls.open(
        principal(), traced.service, opened, operation=LISTENING, stretch=ServiceUse(10.0)
    )
    async with opening as (_, request):
        for word in ("One.", "two.", "Three."):
            await request.cover(ServiceUse(5.0))
            request.got(word)
    assert [(one.use.audio_seconds, one.got) for one in traced.requests] == [
        (10.0, "One. two."),
        (5.0, "Three."),
    ]
    assert sum(one.cost or 0 for one in traced.requests) == sum(
        one.cost or 0 for one in traced.ledger.entries
    )
    assert len({one.called_for for one in traced.requests}) == len(traced.tracer.answers) == 1


async def test_no_words_are_kept_where_none_are_told() -> None:
    traced = Traced(FakeTracer(keeps_contents=False))
    await traced.hear()
    await traced.speak()
    assert [(one.sent, one.got) for one in traced.requests] == [(None, None)] * 2


@pytest.mark.parametrize(("samples", "operation"), [(False, TRANSCRIPTION), (True, SEARCH)])
async def test_what_is_not_traced_leaves_nothing(samples: bool, operation: str) -> None:
    traced = Traced(FakeTracer(samples=samples))
    await traced.hear(operation)
    assert traced.tracer.facts == []
    assert len(traced.ledger.entries) == 1
