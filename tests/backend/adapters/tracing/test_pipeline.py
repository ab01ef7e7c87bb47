"""A pipeline waits for nobody: it is bounded, counts what it loses, and ends in time."""

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from opentelemetry.sdk.trace import ReadableSpan
from tests.backend.adapters.tracing.samples import called, completed, run_id, taken

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.observations import Observation
from cartrita.adapters.tracing.pipeline import Pipeline
from cartrita.adapters.tracing.policies import TracingPolicy
from cartrita.adapters.tracing.stories import Stories
from cartrita.adapters.tracing.tracers import Traces
from cartrita.domain.events import ToolReturned
from cartrita.domain.json import JsonValue
from cartrita.domain.traces import CallContents, Fact, RunEnded, RunNoted


class FakeReceiver:
    """Takes spans while it is `free`; where it `refuses`, none."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.taken: list[ReadableSpan] = []
        self.closed = False
        self.free = threading.Event()
        self.free.set()
        self._refuses = refuses

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True

    def send(self, spans: Sequence[ReadableSpan]) -> int:
        self.free.wait(60)
        if self._refuses:
            return 0
        self.taken += spans
        return len(spans)


def policy(pending_max: int = 1000, pending_bytes: int = 1 << 20) -> TracingPolicy:
    return TracingPolicy(
        environment=None,
        release="1",
        flush_s=0.01,
        send_timeout_s=1.0,
        pending_max=pending_max,
        pending_bytes=pending_bytes,
    )


def span(observation: Observation) -> ReadableSpan:
    return ReadableSpan(name=observation.name)


@contextmanager
def opened(receiver: FakeReceiver, policy: TracingPolicy) -> Generator[Pipeline]:
    pipeline = Pipeline(Stories(Contents("full", 1000)).told, span, receiver, policy)
    try:
        yield pipeline
    finally:
        receiver.free.set()
        pipeline.end()
        pipeline.join(60)


def run() -> list[Fact]:
    one = run_id()
    return [taken(one), called(one), RunEnded(one, completed(), 1010.0)]


def until_taken(receiver: FakeReceiver, count: int) -> None:
    end = time.monotonic() + 60
    while len(receiver.taken) < count:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_facts_are_told_while_others_are_noted() -> None:
    receiver = FakeReceiver()
    with opened(receiver, policy()) as pipeline:
        for fact in run():
            pipeline.note(fact)
        until_taken(receiver, 2)
        assert pipeline.dropped == 0


def test_what_was_noted_is_told_before_the_end() -> None:
    receiver = FakeReceiver()
    with opened(receiver, policy()) as pipeline:
        for _ in range(200):
            for fact in run():
                pipeline.note(fact)
    assert (len(receiver.taken), pipeline.dropped, receiver.closed) == (400, 0, True)


def test_no_more_wait_than_are_allowed() -> None:
    receiver = FakeReceiver()
    receiver.free.clear()
    with opened(receiver, policy(pending_max=100)) as pipeline:
        for _ in range(100):
            for fact in run():
                pipeline.note(fact)
        assert len(pipeline._facts) <= 200, "of ends, twice as many"
        assert pipeline.dropped >= 100


def test_no_more_is_kept_than_is_allowed() -> None:
    receiver = FakeReceiver()
    receiver.free.clear()
    one = run_id()
    heard = called(one).contents
    assert heard is not None
    large = called(one, contents=CallContents(heard.request, heard.answer, 10 << 20))
    with opened(receiver, policy(pending_bytes=35 << 20)) as pipeline:
        for _ in range(20):
            pipeline.note(large)
        assert pipeline.dropped >= 20 - 2 * 3, "three at once, and three while the first is told"
        assert not pipeline._facts or pipeline._facts[-1][0] is large
        before = pipeline.dropped
        pipeline.note(RunEnded(one, completed(), 1010.0))
        assert pipeline.dropped == before, "an end has room, or its story would stay"


def test_what_tools_return_counts_as_well() -> None:
    receiver = FakeReceiver()
    receiver.free.clear()
    one = run_id()
    results: list[JsonValue] = ["x" * (1 << 20), {"page": "x" * (1 << 20)}]
    with opened(receiver, policy(pending_bytes=10 << 20)) as pipeline:
        for number in range(100):
            returned = ToolReturned(f"call_{number}", "web_fetch", results[number % 2], True)
            pipeline.note(RunNoted(one, returned, 1001.0))
        assert pipeline.dropped >= 100 - 2 * 10, "ten at once, and ten while the first is told"


def test_a_receiver_that_hangs_holds_up_no_end() -> None:
    receiver = FakeReceiver()
    receiver.free.clear()
    with opened(receiver, policy()) as pipeline:
        for fact in run():
            pipeline.note(fact)
        pipeline.end()
        pipeline.join(0.05)
        assert not receiver.taken
        receiver.free.set()
        pipeline.join(60)
        assert receiver.closed


def test_spans_that_nobody_takes_are_counted() -> None:
    receiver = FakeReceiver(refuses=True)
    with opened(receiver, policy()) as pipeline:
        for fact in run():
            pipeline.note(fact)
    assert pipeline.dropped == 2


def test_a_fact_that_cannot_be_told_is_lost_alone() -> None:
    receiver = FakeReceiver()
    stories = Stories(Contents("full", 1000))

    def told(fact: Fact) -> Sequence[Observation]:
        if isinstance(fact, RunEnded):
            raise ValueError("It cannot be told.")
        return stories.told(fact)

    pipeline = Pipeline(told, span, receiver, policy())
    for fact in [*run(), *run()]:
        pipeline.note(fact)
    pipeline.end()
    pipeline.join(60)
    assert (len(receiver.taken), pipeline.dropped) == (2, 2)


def test_a_sample_is_chosen_by_the_id() -> None:
    traces = [Traces((), share, keeps_contents=True) for share in (0.0, 0.1, 1.0)]
    ids = [run_id() for _ in range(5000)]
    none, some, every = (sum(map(one.samples, ids)) for one in traces)
    assert (none, every) == (0, 5000)
    assert 350 < some < 650
    again = Traces((), 0.1, keeps_contents=True)
    assert [again.samples(one) for one in ids] == [traces[1].samples(one) for one in ids]
