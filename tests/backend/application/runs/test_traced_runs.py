"""What is written of a traced run is noted, in the order in which the log has it."""

from uuid import UUID

import pytest
from tests.backend.application.fakes import FakeQueueAndWriter, FakeRunPorts, claim, run

from cartrita.application.runs.traced_runs import TracedAdmission, TracedRuns, abandoned_runs
from cartrita.domain import endings
from cartrita.domain.events import TextAppended, ToolCalled, ToolReturned
from cartrita.domain.fold import Fold
from cartrita.domain.runs import Admission, Claim, RunInput
from cartrita.domain.traces import Fact, RunCalled, RunEnded, RunLeft, RunNoted, RunTaken

CALLED = ToolCalled("call_1", "calculator", {}, own=True)
RETURNED = ToolReturned("call_1", "calculator", "42", True)
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


class FakeTracer:
    """Keeps facts; samples all traces or none."""

    keeps_contents = True
    dropped = 0

    def __init__(self, *, samples: bool = True) -> None:
        self.facts: list[Fact] = []
        self._samples = samples

    def samples(self, trace_id: UUID) -> bool:
        return self._samples

    def note(self, fact: Fact) -> None:
        self.facts.append(fact)


async def worked(runs: TracedRuns, claimed: Claim) -> None:
    runs.take(claimed)
    run_id = claimed.run_id
    await runs.append(run_id, TextAppended("Hm", 0))
    runs.record(run_id, [CALLED], [])
    await runs.commit(run_id)
    runs.require(run_id)
    await runs.append(run_id, RETURNED)


async def test_a_run_is_noted_from_its_beginning_to_its_end() -> None:
    tracer, writer, claimed = FakeTracer(), FakeQueueAndWriter(), claim()
    runs = TracedRuns(writer, tracer)
    await worked(runs, claimed)
    ending = endings.cancelled(Fold())
    await runs.end(claimed.run_id, ending)
    runs.leave(claimed.run_id)
    taken, called, returned, ended = tracer.facts
    assert isinstance(taken, RunTaken)
    assert isinstance(called, RunNoted)
    assert isinstance(returned, RunNoted)
    assert isinstance(ended, RunEnded)
    assert (called.event, returned.event, ended.ending) == (CALLED, RETURNED, ending)
    assert taken.at <= called.at <= returned.at <= ended.at
    assert writer.events[claimed.run_id] == [TextAppended("Hm", 0), CALLED, RETURNED]


@pytest.mark.parametrize("forgets", [True, False])
async def test_a_run_that_goes_on_elsewhere_is_left_once(forgets: bool) -> None:
    tracer, claimed = FakeTracer(), claim()
    runs = TracedRuns(FakeQueueAndWriter(), tracer)
    runs.take(claimed)
    if forgets:
        runs.forget(claimed.run_id)
    else:
        await runs.suspend(claimed.run_id, [CALLED], ())
    runs.leave(claimed.run_id)
    assert [type(one) for one in tracer.facts] == (
        [RunTaken, RunLeft] if forgets else [RunTaken, RunNoted, RunLeft]
    )


async def test_a_run_that_is_not_sampled_is_written_alone() -> None:
    tracer, writer, claimed = FakeTracer(samples=False), FakeQueueAndWriter(), claim()
    runs = TracedRuns(writer, tracer)
    await worked(runs, claimed)
    await runs.end(claimed.run_id, endings.cancelled(Fold()))
    assert tracer.facts == []
    assert claimed.run_id in writer.endings


def admission(caller_trace: str | None) -> Admission:
    given = RunInput(agent="supervisor", provider="p", model="m")
    return Admission(
        owner_id="ann", surface="native", input=given, title="", caller_trace=caller_trace
    )


async def test_a_run_that_was_asked_for_in_a_trace_says_so() -> None:
    tracer = FakeTracer()
    traced = TracedAdmission(FakeRunPorts(), tracer)
    admitted = await traced.admit(admission(TRACE))
    await traced.admit(admission(None))
    (called,) = tracer.facts
    assert isinstance(called, RunCalled)
    assert (called.run_id, called.caller_trace) == (admitted.run_id, TRACE)


def test_who_samples_no_trace_is_told_of_no_end() -> None:
    tracer = FakeTracer(samples=False)
    abandoned_runs(tracer)(run(), endings.cancelled(Fold()))
    assert tracer.facts == []
