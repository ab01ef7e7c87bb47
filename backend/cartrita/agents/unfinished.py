"""What the agents of a run have begun in this process, and not ended."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TypeVar

from cartrita.agents.journal import Journal
from cartrita.domain.begun_work import STOPPED_RESULT
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import Event, TaskCompleted, TaskStarted, UsageRecorded
from cartrita.domain.step_places import WHOLE_RUN, StepPlace
from cartrita.domain.step_records import (
    UNKNOWN,
    StepRecord,
    StepState,
    ToolSaid,
    begun_calls,
)

_Begun = TypeVar("_Begun")


class Unfinished:
    """The model calls, tasks and announced calls of tools that are being made, by place.

    It writes their beginnings and ends to the journal, so that what is stopped has one end there.
    What an earlier process has begun is known from the log, and from its `records`.
    """

    def __init__(self, journal: Journal, records: Iterable[StepRecord] = ()) -> None:
        self._journal = journal
        self._model_calls: dict[StepPlace, Callable[[], UsageRecorded]] = {}
        """What each has used so far."""
        self._promised: set[StepPlace] = set()
        """The tasks that have begun, and have not made their first model call."""
        self._intents = {one.place: one for one in records if one.state is StepState.INTENT}
        """Those of the announced calls."""

    @property
    def steps(self) -> int:
        """How many steps are being made, or are promised to tasks."""
        return len(self._model_calls) + len(self._promised)

    @property
    def tasks_begun(self) -> int:
        """How many tasks have begun in the answer, also those that have ended."""
        promised = {place.task_id for place in self._promised}
        return len(self._journal.answer.begun.tasks | promised)

    def has_begun(self, task: StepPlace) -> bool:
        """Whether the log has the beginning of a task: an earlier process began it."""
        return task.task_id in self._journal.answer.begun.tasks

    @contextmanager
    def model_call(self, place: StepPlace, used: Callable[[], UsageRecorded]) -> Generator[None]:
        """A model call is made in here; one that is cancelled is being made until it is stopped."""
        self._promised = {task for task in self._promised if not task.contains(place)}
        self._model_calls[place] = used
        try:
            yield
        except CartritaError:
            del self._model_calls[place]
            raise
        del self._model_calls[place]

    async def begin_task(self, task: StepPlace, call_id: str, agent: str, told: str) -> None:
        """Log that a task begins, if no earlier process did. Raises LeaseLost."""
        if not self.has_begun(task):
            self._promised.add(task)
            await self._journal.append(TaskStarted(task.task_id, call_id, agent, told))

    async def end_task(self, task: StepPlace, ended: TaskCompleted) -> None:
        """Log how a task ended, unless it has an end. Raises LeaseLost."""
        self._promised.discard(task)  # where it failed before its first model call
        if self._journal.answer.begun.is_open(ended.task_id):
            await self._journal.append(ended)

    async def begin_call(self, intent: StepRecord) -> None:
        """Record that a tool is about to be called, and return when that is stored.

        Raises LeaseLost.
        """
        await self._journal.commit([], [intent])
        self._intents[intent.place] = intent

    async def end_call(self, end: StepRecord, events: Sequence[Event]) -> None:
        """Record how a call ended, announced or not, in one transaction with its events.

        Raises LeaseLost.
        """
        self._journal.record(events, [end])
        self._intents.pop(end.place, None)
        await self._journal.stored()

    def stop(self, place: StepPlace = WHOLE_RUN) -> None:
        """Record how all ends that is being done at a place, because it is stopped now.

        Tools and tasks end without success, and what was used of model calls is measured. Raises
        LeaseLost.
        """
        intents = _taken(self._intents, place)
        ends = self._journal.answer.begun.ends(begun_calls(intents), place)
        used = [measure() for measure in _taken(self._model_calls, place)]
        self._promised = {one for one in self._promised if not place.contains_task(one.task_id)}
        if ends or used:
            self._journal.record([*ends, *used], [_end(one) for one in intents])


def _taken(begun: dict[StepPlace, _Begun], place: StepPlace) -> list[_Begun]:
    """What is within a place, taken out."""
    return [begun.pop(one) for one in tuple(begun) if place.contains(one)]


def _end(intent: StepRecord) -> StepRecord:
    if intent.may_have_acted:
        return StepRecord(place=intent.place, state=StepState.UNKNOWN, output=UNKNOWN)
    stopped = ToolSaid(STOPPED_RESULT, False)
    return StepRecord(place=intent.place, state=StepState.DONE, output=stopped)
