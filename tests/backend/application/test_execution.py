"""Executing runs: every way in which one ends, and nothing that escapes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from tests.backend.application.stand_ins import (
    DONE,
    WATCHDOG_S,
    Branch,
    Desk,
    Provider,
    claim,
    gateway,
    said,
    until,
)

from cartrita.application.execution import Executor
from cartrita.application.history import History
from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.errors import (
    CartritaError,
    LeaseLost,
    Unavailable,
    UpstreamCut,
    UpstreamError,
    UpstreamRejected,
)
from cartrita.domain.events import (
    CallMeasured,
    Event,
    RunCompleted,
    RunStopped,
    StopKind,
    TextAppended,
)
from cartrita.domain.messages import MessageStatus, Text
from cartrita.domain.runs import (
    CancelRequested,
    Claim,
    Claimable,
    Deposed,
    Ending,
    RunInput,
    RunStatus,
)
from cartrita.domain.usage import Usage
from cartrita.kit.ids import RunId, uuid7


class Unstorable(CartritaError):
    default_code = "unstorable_output"


class Office:
    """An executor at work."""

    def __init__(self, *play: Any, history: Any = None) -> None:
        self.desk = Desk()
        self.provider = Provider(*play)
        store = Branch(said("Hi")) if history is None else history
        told = History(store, messages=10, characters=1000)
        self.executor = Executor(self.desk, self.desk, told, gateway(self.provider))

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Runs until the end of this; what escapes from it is raised here."""
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(self.executor.execute_for_ever())
            yield
            working.cancel()

    async def ending(self, claimed: Claim) -> Ending:
        """Of a run that nobody interferes with."""
        async with self.open():
            self.desk.put(claimed)
            return await self.ended(claimed)

    async def ended(self, claimed: Claim) -> Ending:
        await until(lambda: claimed.run_id in self.desk.endings and not self.executor._live)
        return self.desk.endings[claimed.run_id]

    async def spoken(self, claimed: Claim) -> None:
        await until(lambda: self.texts(claimed))

    def texts(self, claimed: Claim) -> str:
        told: list[Event] = self.desk.events.get(claimed.run_id, [])
        return "".join(event.text for event in told if isinstance(event, TextAppended))

    def kinds(self, claimed: Claim) -> list[type[Event]]:
        return [type(event) for event in self.desk.events.get(claimed.run_id, [])]


def stopped(ending: Ending) -> RunStopped:
    assert isinstance(ending.event, RunStopped)
    return ending.event


def text_of(ending: Ending) -> str:
    return "" if ending.message is None else ending.message.text


HALF = TextDelta("half ")
REST = TextDelta("an answer")
CUT = UpstreamCut("It broke.", provider="p")
NO = UpstreamRejected("No.", provider="p")


async def test_a_whole_answer_is_logged_as_it_comes_and_ends_once() -> None:
    office, claimed = Office(HALF, REST, DONE), claim()
    ending = await office.ending(claimed)
    assert office.texts(claimed) == "half an answer"
    assert office.kinds(claimed) == [TextAppended, TextAppended, CallMeasured]
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
        if isinstance(e, CallMeasured)
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
    assert office.kinds(claimed)[-1] is CallMeasured, "what was used until then is counted"
    assert ending.usage.estimated


async def test_a_deadline_that_has_passed_already() -> None:
    office = Office(asyncio.Event())
    ending = await office.ending(claim(seconds_left=-5.0))
    assert stopped(ending).code == "deadline_exceeded"
    assert office.provider.open == 0


# Cancels


async def test_a_cancel_keeps_what_was_seen_and_hangs_up() -> None:
    office, claimed = Office(HALF, asyncio.Event()), claim()
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.tell(CancelRequested(claimed.run_id))
        office.desk.tell(CancelRequested(claimed.run_id))
        ending = await office.ended(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.CANCELLED, "half ")
    assert stopped(ending).kind is StopKind.CANCELLED
    assert office.provider.open == 0
    assert len(office.desk.tried) == 1


async def test_a_cancel_before_the_start_calls_no_model() -> None:
    office = Office(HALF, DONE)
    ending = await office.ending(claim(cancelled=True))
    assert ending.status is RunStatus.CANCELLED
    assert office.provider.requests == []


async def test_a_cancel_of_another_replicas_run_is_nothing() -> None:
    office, claimed = Office(HALF, DONE), claim()
    async with office.open():
        office.desk.tell(CancelRequested(RunId(uuid7())))
        office.desk.put(claimed)
        assert (await office.ended(claimed)).status is RunStatus.COMPLETED


async def test_a_cancel_while_the_history_is_awaited() -> None:
    class Away(Branch):
        async def branch(self, *_: Any, **__: Any) -> Any:
            raise Unavailable("away")

    office, claimed = Office(DONE, history=Away()), claim()
    async with office.open():
        office.desk.put(claimed)
        await until(lambda: claimed.run_id in office.executor._live)
        office.desk.tell(CancelRequested(claimed.run_id))
        assert (await office.ended(claimed)).status is RunStatus.CANCELLED


@pytest.mark.parametrize("trouble", [UpstreamError("late", provider="p"), OSError("late")])
async def test_trouble_in_hanging_up_does_not_hide_why(trouble: Exception) -> None:
    """A provider may fail while its stream is being left."""
    office, claimed = Office(HALF, asyncio.Event()), claim()
    office.provider.on_close = trouble
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.tell(CancelRequested(claimed.run_id))
        ending = await office.ended(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.CANCELLED, "half ")
    assert office.kinds(claimed) == [TextAppended, CallMeasured], "counted, and once"


async def test_a_cancel_is_heard_while_a_claim_takes_its_time() -> None:
    office, claimed = Office(HALF, asyncio.Event()), claim()
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.slow_claim = asyncio.Event()
        office.desk.tell(Claimable())
        office.desk.tell(CancelRequested(claimed.run_id))
        assert (await office.ended(claimed)).status is RunStatus.CANCELLED


async def test_a_cancel_that_comes_with_the_end_changes_nothing() -> None:
    office, claimed = Office(HALF, DONE), claim()
    office.desk.slow_end = asyncio.Event()
    async with office.open():
        office.desk.put(claimed)
        await until(lambda: office.desk.tried)
        office.desk.tell(CancelRequested(claimed.run_id))
        await until(office.desk.news.empty)
        office.desk.slow_end.set()
        assert (await office.ended(claimed)).status is RunStatus.COMPLETED


# Losing the lease


async def test_a_deposed_replica_says_nothing_more() -> None:
    office = Office(HALF, asyncio.Event())
    first, second = claim(), claim()
    async with office.open():
        office.desk.put(first, second)
        await office.spoken(first)
        await office.spoken(second)
        office.desk.tell(Deposed())
        await until(lambda: not office.executor._live)
    assert office.desk.tried == []
    assert office.provider.open == 0


@pytest.mark.parametrize("when", ["append", "end"])
async def test_a_writer_that_says_so_is_believed(when: str) -> None:
    office, claimed = Office(HALF, DONE), claim()
    lost = LeaseLost("gone")
    if when == "append":
        office.desk.append_fails = lost
    else:
        office.desk.end_fails = [lost]
    async with office.open():
        office.desk.put(claimed)
        await until(lambda: office.desk.forgotten)
        await until(lambda: not office.executor._live)
    assert office.desk.endings == {}
    assert office.provider.open == 0


async def test_the_same_run_may_come_again() -> None:
    """Deposed and claimed anew at once: the old attempt forgets nothing of the new one's."""
    office, claimed = Office(HALF, asyncio.Event()), claim()
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.tell(Deposed())
        office.desk.put(claim(run_id=claimed.run_id, attempt=2))
        await until(lambda: office.provider.open == 1 and len(office.provider.requests) == 2)
        await until(lambda: office.executor._live[claimed.run_id].claim.attempt == 2)
        office.desk.tell(CancelRequested(claimed.run_id))
        ending = await office.ended(claimed)
    assert ending.status is RunStatus.CANCELLED


# What cannot be stored


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
            office.desk.tell(Claimable())
        office.desk.put(claimed)
        assert (await office.ended(claimed)).status is RunStatus.COMPLETED


# Stopping


async def test_a_drain_lets_runs_finish() -> None:
    gate = asyncio.Event()
    office, claimed = Office(HALF, gate, REST, DONE), claim()
    async with office.open(), asyncio.TaskGroup() as tasks:
        office.desk.put(claimed)
        await office.spoken(claimed)
        draining = tasks.create_task(office.executor.drain(WATCHDOG_S))
        await asyncio.sleep(0)
        assert not draining.done()
        gate.set()
        await draining
        assert text_of(office.desk.endings[claimed.run_id]) == "half an answer"


async def test_a_drain_that_has_waited_long_enough_hands_on_the_rest() -> None:
    """The unseen is released for anybody, the seen keeps its text and can be continued."""

    class Slow(Provider):
        async def _deltas(self) -> AsyncGenerator[Any]:
            if len(self.requests) == 1:
                yield HALF
            await anyio.sleep_forever()

    office, seen, unseen = Office(), claim(), claim()
    office.provider = Slow()
    office.executor._gateway = gateway(office.provider)
    async with office.open():
        office.desk.put(seen)
        await office.spoken(seen)
        office.desk.put(unseen)
        await until(lambda: len(office.provider.requests) == 2)
        async with asyncio.timeout(WATCHDOG_S):
            await office.executor.drain(0.01)
        assert office.desk.released == [unseen.run_id]
        ending = office.desk.endings[seen.run_id]
        assert (ending.status, text_of(ending)) == (RunStatus.INTERRUPTED, "half ")
        assert stopped(ending).recoverable
        assert office.provider.open == 0


async def test_a_drain_gives_back_what_has_not_begun() -> None:
    office, waiting = Office(HALF, DONE), claim()
    office.desk.claims.append(waiting)
    async with office.open():
        await office.executor.drain(1)
    assert office.desk.released == [waiting.run_id]


@pytest.mark.parametrize("trouble", [LeaseLost("gone"), Unavailable("away")], ids=type)
async def test_a_drain_without_a_database_ends_all_the_same(trouble: Exception) -> None:
    """What cannot be given back is found by its lease."""
    office, seen, waiting = Office(HALF, asyncio.Event()), claim(), claim()
    async with office.open():
        office.desk.put(seen)
        await office.spoken(seen)
        office.desk.release_fails = trouble
        office.desk.end_fails = [trouble, trouble]
        office.desk.claims.append(waiting)
        async with asyncio.timeout(WATCHDOG_S):
            await office.executor.drain(0.01)
    assert office.desk.released == []


async def test_an_idle_drain_is_over_at_once() -> None:
    office = Office()
    async with office.open(), asyncio.timeout(WATCHDOG_S):
        await office.executor.drain(600)
