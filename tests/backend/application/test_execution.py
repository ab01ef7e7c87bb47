"""Executing runs: how an answer is logged, and every way in which it ends by itself."""

import asyncio
from typing import Any

import pytest
from tests.backend.application.office import (
    CUT,
    HALF,
    NO,
    REST,
    Office,
    Unstorable,
    stopped,
    text_of,
)
from tests.backend.application.stand_ins import (
    DONE,
    Branch,
    claim,
    until,
)

from cartrita.domain.deltas import Finished, FinishReason
from cartrita.domain.errors import (
    CartritaError,
)
from cartrita.domain.events import (
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
    office, claimed = Office(HALF, REST, DONE), claim()
    ending = await office.ending(claimed)
    assert office.texts(claimed) == "half an answer"
    assert office.kinds(claimed) == [TextAppended, TextAppended, UsageRecorded]
    assert isinstance(ending.event, RunCompleted)
    assert (ending.event.text, ending.usage) == ("half an answer", Usage(3, 4))
    assert ending.event.finish_reason is FinishReason.STOP
    assert ending.message is not None
    assert ending.message.parts == (Text("half an answer"),)
    assert office.provider.open == 0
    [request] = office.provider.requests
    assert (request.owner_id, request.model) == ("ann", "m")


async def test_the_models_reason_to_stop_is_told() -> None:
    ending = await Office(HALF, Finished(FinishReason.LENGTH, Usage(1, 1))).ending(claim())
    assert isinstance(ending.event, RunCompleted)
    assert ending.event.finish_reason is FinishReason.LENGTH


async def test_an_answer_that_goes_on_repeats_what_was_seen_first() -> None:
    work = RunInput(agent="assistant", provider="p", model="m", prefix="half ")
    office, claimed = Office(REST, DONE), claim(input=work)
    ending = await office.ending(claimed)
    first, second, _ = office.desk.events[claimed.run_id]
    assert (first, second) == (TextAppended("half ", 0), TextAppended("an answer", 5))
    assert text_of(ending) == "half an answer"
    assert office.provider.requests[0].messages[1].text == "half "


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
    office, claimed = Office(*play), claim()
    ending = await office.ending(claimed)
    assert (ending.status, stopped(ending).code) == (status, code)
    assert text_of(ending) == text
    assert ending.keep_idempotency is keeps
    assert ending.message_status is MessageStatus.PARTIAL
    assert office.provider.open == 0
    measured = sum(
        e.usage.total_tokens
        for e in office.desk.events.get(claimed.run_id, [])
        if isinstance(e, UsageRecorded)
    )
    assert ending.usage.total_tokens == measured


async def test_a_model_that_is_there_no_more() -> None:
    work = RunInput(agent="assistant", provider="gone", model="m")
    ending = await Office(DONE).ending(claim(input=work))
    assert stopped(ending).code == "provider_not_configured"


async def test_an_agent_that_is_there_no_more() -> None:
    work = RunInput(agent="gone", provider="p", model="m")
    ending = await Office(DONE).ending(claim(input=work))
    assert stopped(ending).code == "agent_not_found"


async def test_a_history_that_cannot_be_read() -> None:
    ending = await Office(DONE, history=Branch(CartritaError("no", code="odd"))).ending(claim())
    assert stopped(ending).code == "odd"


# The deadline


async def test_a_deadline_before_anything_was_seen_fails() -> None:
    office, claimed = Office(asyncio.Event()), claim(seconds_left=0.02)
    ending = await office.ending(claimed)
    assert (ending.status, stopped(ending).code) == (RunStatus.FAILED, "deadline_exceeded")
    assert not ending.keep_idempotency
    assert office.provider.open == 0


async def test_a_deadline_after_visible_text_interrupts() -> None:
    office, claimed = Office(HALF, asyncio.Event()), claim(seconds_left=0.05)
    ending = await office.ending(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.INTERRUPTED, "half ")
    assert office.kinds(claimed)[-1] is UsageRecorded, "what was used until then is counted"
    assert ending.usage.estimated


async def test_a_deadline_that_has_passed_already() -> None:
    office = Office(asyncio.Event())
    ending = await office.ending(claim(seconds_left=-5.0))
    assert stopped(ending).code == "deadline_exceeded"
    assert office.provider.open == 0


async def test_an_answer_that_cannot_be_stored_ends_without_it() -> None:
    office, claimed = Office(HALF, DONE), claim()
    office.desk.end_fails = [Unstorable("The output could not be stored.")]
    ending = await office.ending(claimed)
    assert stopped(ending).code == "unstorable_output"
    assert ending.message is None
    assert len(office.desk.tried) == 2


async def test_an_event_that_cannot_be_stored_ends_the_answer() -> None:
    office, claimed = Office(HALF, DONE), claim()
    office.desk.append_fails = Unstorable("The output could not be stored.")
    ending = await office.ending(claimed)
    assert stopped(ending).code == "unstorable_output"
    assert ending.message is None, "what the log did not take is no part of the answer"
    assert office.provider.open == 0


async def test_a_cancel_of_what_cannot_be_stored_is_a_cancel() -> None:
    office, claimed = Office(HALF, asyncio.Event()), claim()
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.append_fails = Unstorable("The output could not be stored.")
        office.desk.tell(CancelRequested(claimed.run_id))
        ending = await office.ended(claimed)
    assert ending.status is RunStatus.CANCELLED


@pytest.mark.parametrize("trouble", [CartritaError("no"), ZeroDivisionError()], ids=type)
async def test_a_run_that_cannot_be_ended_is_given_back_and_stops_no_other(
    trouble: Exception,
) -> None:
    office, hopeless, other = Office(HALF, DONE), claim(), claim()
    office.desk.end_fails = [trouble, trouble]
    async with office.open():
        office.desk.put(hopeless)
        await until(lambda: office.desk.forgotten == [hopeless.run_id])
        office.desk.end_fails.clear()
        office.desk.put(other)
        assert (await office.ended(other)).status is RunStatus.COMPLETED


async def test_a_failing_provider_stops_no_other_run() -> None:
    office, bad, good = Office(HALF, DONE), claim(cancelled=True), claim()
    async with office.open():
        office.desk.put(bad, good)
        await office.ended(bad)
        assert (await office.ended(good)).status is RunStatus.COMPLETED


async def test_a_signal_without_a_run_is_nothing() -> None:
    office, claimed = Office(HALF, DONE), claim()
    async with office.open():
        for _ in range(3):
            office.desk.tell(RunAvailable())
        office.desk.put(claimed)
        assert (await office.ended(claimed)).status is RunStatus.COMPLETED
