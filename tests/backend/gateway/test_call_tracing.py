"""Each attempt at a call is noted once for its trace, and only where it is traced."""

import asyncio
from contextlib import nullcontext
from decimal import Decimal
from uuid import UUID

import pytest
from tests.backend.gateway.fakes import (
    DONE,
    Ledger,
    NamedProvider,
    RelayingProvider,
    Time,
    answer_to,
    call,
    create_gateway,
    overloaded,
    relayed_call,
)

from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.errors import InvalidInput, UpstreamRejected
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.run_parts import RunPart
from cartrita.domain.token_classes import Costs, TokenClass
from cartrita.domain.traces import CallAnswered, Fact, ModelCalled
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import CacheWish
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.metering import Meter
from cartrita.gateway.routes import Route, Target
from cartrita.kit.ids import uuid7

PART = RunPart(RunId(uuid7()), ConversationId(uuid7()), "supervisor")
WISH = CacheWish(60.0)


class FakeTracer:
    """Keeps facts; samples all traces or none."""

    dropped = 0

    def __init__(self, *, samples: bool = True, keeps_contents: bool = True) -> None:
        self.facts: list[Fact] = []
        self.keeps_contents = keeps_contents
        self._samples = samples

    def samples(self, trace_id: UUID) -> bool:
        return self._samples

    def note(self, fact: Fact) -> None:
        self.facts.append(fact)

    @property
    def calls(self) -> list[ModelCalled]:
        return [one for one in self.facts if isinstance(one, ModelCalled)]

    @property
    def answers(self) -> list[CallAnswered]:
        return [one for one in self.facts if isinstance(one, CallAnswered)]


def costs_of(provider: str, model: str, usage: Usage, tenant: str) -> Costs:
    return {TokenClass.INPUT: Decimal(1), TokenClass.OUTPUT: Decimal(2)}


def gateway(tracer: FakeTracer, *providers: NamedProvider) -> Gateway:
    time = Time()
    meter = Meter(Ledger(), clock=time.clock, tracer=tracer)
    routes = {"both": Route(targets=(Target("a/m"), Target("b/m")))}
    return create_gateway(*providers, time=time, meter=meter, routes=routes)


async def test_a_call_is_noted_with_what_it_sent_and_got() -> None:
    tracer = FakeTracer()
    provider = NamedProvider("a", [TextDelta("Hello"), DONE])
    await answer_to(gateway(tracer, provider), call("a/m", key_id="key", size=7))
    (one,) = tracer.calls
    assert (one.provider, one.model, one.outcome) == ("a", "m", CallOutcome.COMPLETED)
    assert (one.error, one.finish_reason, one.embeds) == (None, FinishReason.STOP, False)
    assert one.contents is not None
    assert one.contents.request().model == "m"
    assert list(one.contents.answer()) == [TextDelta("Hello"), DONE]
    assert one.contents.size >= 7
    (answered,) = tracer.answers
    assert answered.called_for == one.called_for
    assert (one.called_for.owner_id, one.called_for.key_id) == ("o", "key")
    assert (answered.name, answered.left, answered.error) == ("a/m", False, None)


@pytest.mark.parametrize("samples", [True, False])
async def test_the_costs_are_looked_up_once(samples: bool) -> None:
    asked: list[tuple[str, str, str]] = []

    def costs(provider: str, model: str, usage: Usage, tenant: str) -> Costs:
        asked.append((provider, model, tenant))
        return costs_of(provider, model, usage, tenant)

    tracer, ledger = FakeTracer(samples=samples), Ledger()
    meter = Meter(ledger, costs, tracer=tracer)
    provider = NamedProvider("a", [TextDelta("Hello"), DONE])
    await answer_to(create_gateway(provider, meter=meter), call("a/m"))
    assert asked == [("a", "m", "local")]
    assert [one.cost for one in ledger.entries] == [3]
    assert [one.costs for one in tracer.calls] == (
        [{TokenClass.INPUT: 1, TokenClass.OUTPUT: 2}] if samples else []
    )


async def test_a_cost_that_nobody_knows_is_none() -> None:
    tracer = FakeTracer()
    provider = NamedProvider("a", [TextDelta("Hello"), DONE])
    await answer_to(gateway(tracer, provider), call("a/m"))
    assert [one.costs for one in tracer.calls] == [None]


async def test_what_is_kept_is_what_came_whatever_its_provider_claims() -> None:
    tracer = FakeTracer()
    claimed = Finished(FinishReason.STOP, Usage(7, 3_000_000_000), "m")
    translating = NamedProvider("a", [TextDelta("Hello" * 100), claimed])
    asked = gateway(tracer, translating)
    for _ in range(2):
        await answer_to(asked, call("a/m", cache=WISH))
    assert [one.usage.output_tokens for one in tracer.calls] == [3_000_000_000, 0]
    for one in tracer.calls:
        assert one.contents is not None
        assert 500 <= one.contents.size < 2000


async def test_what_is_kept_of_a_relayed_answer_is_its_bytes() -> None:
    tracer = FakeTracer()
    provider = RelayingProvider("a", [b"Hello\n", b".\n"])
    await answer_to(gateway(tracer, provider), relayed_call("a/m"))
    (one,) = tracer.calls
    assert one.contents is not None
    assert one.contents.size == len(b"Hello\n.\n")


async def test_each_attempt_is_noted_for_one_trace() -> None:
    tracer = FakeTracer()
    failing = NamedProvider("a", [overloaded()])
    answering = NamedProvider("b", [TextDelta("Hello"), DONE])
    await answer_to(gateway(tracer, failing, answering), call("both"))
    first, *_, last = tracer.calls
    assert (first.provider, first.outcome) == ("a", CallOutcome.FAILED)
    assert first.error == overloaded().code
    assert (last.provider, last.outcome) == ("b", CallOutcome.COMPLETED)
    assert len({one.called_for for one in tracer.calls}) == 1
    (answered,) = tracer.answers
    assert [one.provider for one in answered.failovers] == ["a"]
    assert answered.provider == "b"


async def test_a_call_that_nobody_answers_says_why() -> None:
    tracer = FakeTracer()
    refused = UpstreamRejected("No.", provider="a")
    with pytest.raises(UpstreamRejected):
        await answer_to(gateway(tracer, NamedProvider("a", [refused])), call("a/m"))
    (answered,) = tracer.answers
    assert (answered.error, answered.provider, answered.left) == (refused.code, None, False)


async def test_an_answer_that_is_left_is_noted_as_left() -> None:
    tracer = FakeTracer()
    opened = gateway(tracer, NamedProvider("a", [TextDelta("Hello"), TextDelta("you"), DONE]))
    async with opened.open(call("a/m")):
        pass
    assert [one.outcome for one in tracer.calls] == [CallOutcome.CANCELLED]
    assert tracer.answers[0].left


async def test_a_relayed_answer_is_read_when_it_is_told() -> None:
    tracer = FakeTracer()
    provider = RelayingProvider("a", [b"Hello\n", b".\n"])
    await answer_to(gateway(tracer, provider), relayed_call("a/m"))
    (one,) = tracer.calls
    assert one.contents is not None
    assert "".join(d.text for d in one.contents.answer() if isinstance(d, TextDelta)) == "Hello"


async def test_a_call_of_a_run_is_in_the_trace_of_that() -> None:
    tracer = FakeTracer()
    provider = NamedProvider("a", [TextDelta("Hello"), DONE])
    await answer_to(gateway(tracer, provider), call("a/m", part=PART))
    assert [one.called_for.trace_id for one in tracer.calls] == [PART.run_id]
    assert tracer.answers == []


async def test_contents_are_kept_only_for_who_tells_them() -> None:
    tracer = FakeTracer(keeps_contents=False)
    provider = NamedProvider("a", [TextDelta("Hello"), DONE])
    await answer_to(gateway(tracer, provider), call("a/m"))
    assert [one.contents for one in tracer.calls] == [None]


@pytest.mark.parametrize(("samples", "recorded"), [(False, True), (True, False)])
async def test_what_is_not_traced_leaves_nothing(samples: bool, recorded: bool) -> None:
    tracer = FakeTracer(samples=samples)
    provider = NamedProvider("a", [TextDelta("Hello"), DONE])
    await answer_to(gateway(tracer, provider), call("a/m", recorded=recorded))
    assert tracer.facts == []


class TestKeptAnswers:
    async def test_one_is_noted_like_any_other_and_used_nothing(self) -> None:
        tracer, ledger = FakeTracer(), Ledger()
        meter = Meter(ledger, costs_of, tracer=tracer)
        provider = NamedProvider("a", [TextDelta("Hello"), DONE])
        asked = create_gateway(provider, meter=meter)
        await answer_to(asked, call("a/m", cache=WISH))
        await answer_to(asked, call("m", cache=WISH, key_id="key", size=7))
        made, kept = tracer.calls
        assert (made.cached, kept.cached) == (False, True)
        assert (kept.provider, kept.model, kept.outcome) == ("a", "m", CallOutcome.COMPLETED)
        assert (kept.usage, kept.costs) == (Usage(), {})
        assert (kept.finish_reason, kept.first_token_seconds) == (FinishReason.STOP, None)
        assert kept.contents is not None
        assert kept.contents.request().model == "m"
        assert list(kept.contents.answer()) == [TextDelta("Hello"), DONE]
        assert kept.contents.size > 7
        answered = tracer.answers[1]
        assert answered.called_for == kept.called_for != made.called_for
        assert kept.called_for.key_id == "key"
        assert (answered.name, answered.cached, answered.left) == ("m", True, False)
        assert len(ledger.entries) == 1

    async def test_one_in_bytes_is_noted_too(self) -> None:
        tracer = FakeTracer()
        asked = gateway(tracer, RelayingProvider("a", [b"Hello\n", b".\n"]))
        await answer_to(asked, relayed_call("a/m", cache=WISH))
        answer, _ = await answer_to(asked, relayed_call("a/m", cache=WISH))
        assert answer.relayed
        kept = tracer.calls[1]
        assert (kept.cached, kept.outcome) == (True, CallOutcome.COMPLETED)
        assert kept.contents is not None
        said = [one.text for one in kept.contents.answer() if isinstance(one, TextDelta)]
        assert "".join(said) == "Hello"

    async def test_who_waits_for_the_answer_of_another_has_a_trace_too(self) -> None:
        tracer, go = FakeTracer(), asyncio.Event()
        asked = gateway(tracer, NamedProvider("a", [TextDelta("Hi"), go, DONE]))
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(answer_to(asked, call("a/m", cache=WISH)))
            await asyncio.sleep(0)
            go.set()
        assert sorted(one.cached for one in tracer.calls) == [False, True, True]
        assert len({one.called_for for one in tracer.calls}) == 3
        assert len({one.called_for for one in tracer.answers}) == 3

    async def test_who_leaves_while_another_is_asked_has_a_trace_too(self) -> None:
        tracer, go = FakeTracer(), asyncio.Event()
        asked = gateway(tracer, NamedProvider("a", [TextDelta("Hi"), go, DONE]))
        async with asyncio.TaskGroup() as group:
            group.create_task(answer_to(asked, call("a/m", cache=WISH)))
            await asyncio.sleep(0)
            waiting = group.create_task(answer_to(asked, call("m", cache=WISH)))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert [(one.name, one.left, one.cached) for one in tracer.answers] == [
                ("m", True, False)
            ]
            go.set()
        assert [one.cached for one in tracer.calls] == [False]
        assert [one.name for one in tracer.answers] == ["m", "a/m"]

    @pytest.mark.parametrize("answers", [True, False])
    async def test_one_who_asks_after_all_is_noted_once(self, answers: bool) -> None:
        tracer, refused = FakeTracer(), UpstreamRejected("No.", provider="a")
        script = [TextDelta("Hi"), DONE] if answers else [refused]
        asked = gateway(tracer, NamedProvider("a", script))
        with nullcontext() if answers else pytest.raises(UpstreamRejected):
            await answer_to(asked, call("a/m", cache=WISH))
        assert len(tracer.calls) == len(tracer.answers) == 1

    async def test_one_that_is_left_says_so(self) -> None:
        tracer = FakeTracer()
        asked = gateway(tracer, NamedProvider("a", [TextDelta("Hello"), DONE]))
        await answer_to(asked, call("a/m", cache=WISH))
        async with asked.open(call("a/m", cache=WISH)) as answer:
            await anext(answer.items)
        assert tracer.calls[1].outcome is CallOutcome.CANCELLED
        assert tracer.answers[1].left

    async def test_one_in_bytes_that_is_left_says_so(self) -> None:
        tracer = FakeTracer()
        asked = gateway(tracer, RelayingProvider("a", [b"Hello\n", b".\n"]))
        await answer_to(asked, relayed_call("a/m", cache=WISH))
        async with asked.open(relayed_call("a/m", cache=WISH)) as answer:
            assert await anext(answer.items) == b"Hello\n.\n"
        assert tracer.calls[1].outcome is CallOutcome.CANCELLED
        assert tracer.answers[1].left

    @pytest.mark.parametrize(
        ("read", "outcome"),
        [(0, CallOutcome.FAILED), (2, CallOutcome.CUT), (3, CallOutcome.COMPLETED)],
    )
    async def test_one_that_its_reader_fails_with_says_why(
        self, read: int, outcome: CallOutcome
    ) -> None:
        tracer = FakeTracer()
        asked = gateway(tracer, NamedProvider("a", [TextDelta("Hello"), DONE]))
        await answer_to(asked, call("a/m", cache=WISH))

        async def fail() -> None:
            async with asked.open(call("a/m", cache=WISH)) as answer:
                for _ in range(read):
                    await anext(answer.items)
                raise InvalidInput.of("n", "no")

        with pytest.raises(InvalidInput):
            await fail()
        assert tracer.calls[1].outcome is outcome
        assert tracer.calls[1].error == tracer.answers[1].error == "validation_error"
        assert not tracer.answers[1].left

    async def test_nothing_is_kept_of_it_where_nothing_is_told(self) -> None:
        tracer = FakeTracer(keeps_contents=False)
        asked = gateway(tracer, NamedProvider("a", [TextDelta("Hello"), DONE]))
        for _ in range(2):
            await answer_to(asked, call("a/m", cache=WISH))
        assert [one.contents for one in tracer.calls] == [None, None]

    @pytest.mark.parametrize(("samples", "recorded"), [(False, True), (True, False)])
    async def test_one_that_is_not_traced_leaves_nothing(
        self, samples: bool, recorded: bool
    ) -> None:
        tracer = FakeTracer(samples=samples)
        asked = gateway(tracer, NamedProvider("a", [TextDelta("Hello"), DONE]))
        for _ in range(2):
            await answer_to(asked, call("a/m", recorded=recorded, cache=WISH))
        assert tracer.facts == []
