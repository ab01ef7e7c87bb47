"""Executing runs: how an answer is logged, and every way in which it ends by itself."""

import asyncio
from typing import Any

import pytest
from tests.backend.application.executor_fixture import (
    CUT,
    HALF,
    NO,
    REST,
    ExecutorFixture,
    Unstorable,
    stopped,
    text_of,
)
from tests.backend.application.fakes import (
    DONE,
    FakeMessageStore,
    claim,
    until,
)

from cartrita.application.runs.active_runs import ActiveRun
from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.errors import (
    CartritaError,
)
from cartrita.domain.events import (
    ProviderAwaited,
    RunCompleted,
    TextAppended,
    UsageRecorded,
)
from cartrita.domain.messages import MessageStatus, Text
from cartrita.domain.runs import (
    CancelRequested,
    RunAvailable,
    RunInput,
    RunStatus,
)
from cartrita.domain.usage import Usage


async def test_a_whole_answer_is_logged_as_it_comes_and_ends_once() -> None:
    fixture, claimed = ExecutorFixture(HALF, REST, DONE), claim()
    ending = await fixture.ending(claimed)
    assert fixture.texts(claimed) == "half an answer"
    assert fixture.kinds(claimed) == [TextAppended, TextAppended, UsageRecorded]
    assert isinstance(ending.event, RunCompleted)
    assert (ending.event.text, ending.usage) == ("half an answer", Usage(3, 4))
    assert ending.event.finish_reason is FinishReason.STOP
    assert ending.message is not None
    assert ending.message.parts == (Text("half an answer"),)
    assert fixture.provider.open == 0
    [request] = fixture.provider.requests
    assert (request.owner_id, request.model) == ("ann", "m")


async def test_the_models_reason_to_stop_is_told() -> None:
    ending = await ExecutorFixture(HALF, Finished(FinishReason.LENGTH, Usage(1, 1))).ending(claim())
    assert isinstance(ending.event, RunCompleted)
    assert ending.event.finish_reason is FinishReason.LENGTH


async def test_a_pause_before_a_call_is_logged_and_is_nothing_of_the_answer() -> None:
    fixture, claimed = ExecutorFixture(HALF, REST, DONE), claim()
    active = ActiveRun(claimed, fixture.queue)
    await fixture.work.tell_pause(active, "p", 1.23456, 3)
    assert fixture.queue.events[claimed.run_id] == [ProviderAwaited("p", 1.235, 3)]
    assert not active.answer.seen


async def test_an_answer_that_goes_on_repeats_what_was_seen_first() -> None:
    work = RunInput(agent="supervisor", provider="p", model="m", prefix="half ")
    fixture, claimed = ExecutorFixture(REST, DONE), claim(input=work)
    ending = await fixture.ending(claimed)
    first, second, _ = fixture.queue.events[claimed.run_id]
    assert (first, second) == (TextAppended("half ", 0), TextAppended("an answer", 5))
    assert text_of(ending) == "half an answer"
    assert [one.text for one in fixture.provider.requests[0].messages[1:2]] == ["half "]


async def test_what_the_model_repeats_of_an_answer_that_goes_on_is_said_once() -> None:
    work = RunInput(agent="supervisor", provider="p", model="m", prefix="half an ")
    fixture = ExecutorFixture(TextDelta("half "), TextDelta("an answer"), DONE)
    assert text_of(await fixture.ending(claim(input=work))) == "half an answer"


# Failures


@pytest.mark.parametrize(
    ("play", "status", "code", "text", "keeps"),
    [
        ([NO], RunStatus.FAILED, "upstream_rejected", "", False),
        ([CUT], RunStatus.FAILED, "upstream_cut", "", False),
        ([HALF], RunStatus.INTERRUPTED, "upstream_cut", "half ", True),
        ([HALF, CUT], RunStatus.INTERRUPTED, "upstream_cut", "half ", True),
        ([HALF, NO], RunStatus.FAILED, "upstream_rejected", "half ", True),
        ([ZeroDivisionError()], RunStatus.FAILED, "internal", "", False),
        ([HALF, ZeroDivisionError()], RunStatus.FAILED, "internal", "half ", True),
    ],
    ids=["no", "cut", "ends early", "then cut", "then no", "fault", "then fault"],
)
async def test_a_failure_before_and_after_visible_text(
    play: list[Any], status: RunStatus, code: str, text: str, keeps: bool
) -> None:
    fixture, claimed = ExecutorFixture(*play), claim()
    ending = await fixture.ending(claimed)
    assert (ending.status, stopped(ending).code) == (status, code)
    assert text_of(ending) == text
    assert ending.keep_idempotency is keeps
    assert ending.message_status is MessageStatus.PARTIAL
    assert fixture.provider.open == 0
    measured = sum(
        e.usage.total_tokens
        for e in fixture.queue.events.get(claimed.run_id, [])
        if isinstance(e, UsageRecorded)
    )
    assert ending.usage.total_tokens == measured


async def test_a_model_that_is_there_no_more() -> None:
    work = RunInput(agent="supervisor", provider="gone", model="m")
    ending = await ExecutorFixture(DONE).ending(claim(input=work))
    assert stopped(ending).code == "provider_not_configured"


async def test_an_agent_that_is_there_no_more() -> None:
    work = RunInput(agent="gone", provider="p", model="m")
    ending = await ExecutorFixture(DONE).ending(claim(input=work))
    assert stopped(ending).code == "agent_not_found"


async def test_a_history_that_cannot_be_read() -> None:
    ending = await ExecutorFixture(
        DONE, history=FakeMessageStore(CartritaError("no", code="odd"))
    ).ending(claim())
    assert stopped(ending).code == "odd"


# The deadline


async def test_a_deadline_before_anything_was_seen_fails() -> None:
    fixture, claimed = ExecutorFixture(asyncio.Event()), claim(seconds_left=0.02)
    ending = await fixture.ending(claimed)
    assert (ending.status, stopped(ending).code) == (RunStatus.FAILED, "deadline_exceeded")
    assert not ending.keep_idempotency
    assert fixture.provider.open == 0


async def test_a_deadline_after_visible_text_interrupts() -> None:
    fixture, claimed = ExecutorFixture(HALF, asyncio.Event()), claim(seconds_left=0.05)
    ending = await fixture.ending(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.INTERRUPTED, "half ")
    assert fixture.kinds(claimed)[-1] is UsageRecorded, "what was used until then is counted"
    assert ending.usage.estimated


async def test_a_deadline_that_has_passed_already() -> None:
    fixture = ExecutorFixture(asyncio.Event())
    ending = await fixture.ending(claim(seconds_left=-5.0))
    assert stopped(ending).code == "deadline_exceeded"
    assert fixture.provider.open == 0


async def test_an_answer_that_cannot_be_stored_ends_without_it() -> None:
    fixture, claimed = ExecutorFixture(HALF, DONE), claim()
    fixture.queue.end_fails = [Unstorable("The output could not be stored.")]
    ending = await fixture.ending(claimed)
    assert stopped(ending).code == "unstorable_output"
    assert ending.message is None
    assert len(fixture.queue.tried) == 2


async def test_an_event_that_cannot_be_stored_ends_the_answer() -> None:
    fixture, claimed = ExecutorFixture(HALF, DONE), claim()
    fixture.queue.append_fails = Unstorable("The output could not be stored.")
    ending = await fixture.ending(claimed)
    assert stopped(ending).code == "unstorable_output"
    assert ending.message is None, "what the log did not take is no part of the answer"
    assert fixture.provider.open == 0


async def test_a_cancel_of_what_cannot_be_stored_is_a_cancel() -> None:
    fixture, claimed = ExecutorFixture(HALF, asyncio.Event()), claim()
    async with fixture.open():
        fixture.queue.put(claimed)
        await fixture.spoken(claimed)
        fixture.queue.append_fails = Unstorable("The output could not be stored.")
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    assert ending.status is RunStatus.CANCELLED


@pytest.mark.parametrize("trouble", [CartritaError("no"), ZeroDivisionError()], ids=type)
async def test_a_run_that_cannot_be_ended_is_given_back_and_stops_no_other(
    trouble: Exception,
) -> None:
    fixture, hopeless, other = ExecutorFixture(HALF, DONE), claim(), claim()
    fixture.queue.end_fails = [trouble, trouble]
    async with fixture.open():
        fixture.queue.put(hopeless)
        await until(lambda: fixture.queue.forgotten == [hopeless.run_id])
        fixture.queue.end_fails.clear()
        fixture.queue.put(other)
        assert (await fixture.ended(other)).status is RunStatus.COMPLETED


async def test_a_failing_provider_stops_no_other_run() -> None:
    fixture, bad, good = ExecutorFixture(HALF, DONE), claim(cancelled=True), claim()
    async with fixture.open():
        fixture.queue.put(bad, good)
        await fixture.ended(bad)
        assert (await fixture.ended(good)).status is RunStatus.COMPLETED


async def test_a_signal_without_a_run_is_nothing() -> None:
    fixture, claimed = ExecutorFixture(HALF, DONE), claim()
    async with fixture.open():
        for _ in range(3):
            fixture.queue.tell(RunAvailable())
        fixture.queue.put(claimed)
        assert (await fixture.ended(claimed)).status is RunStatus.COMPLETED
