"""The calls and tasks that the log of a run has the beginnings of, and what ends them."""

from collections.abc import Iterable, Sequence
from typing import Final

from cartrita.domain.events import Event, TaskCompleted, TaskStarted, ToolCalled, ToolReturned
from cartrita.domain.step_places import WHOLE_RUN, StepPlace, giver_of, is_task_within
from cartrita.domain.step_records import UNKNOWN_RESULT, ToolBegun, unknown_result

STOPPED_RESULT: Final = "It was stopped before it had a result."


class BegunWork:
    """Collects them from the events of a run, in order from seq 1."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str | None, str | None], ToolCalled | TaskStarted] = {}
        """By task and call, in the order in which they began; a task has no call."""
        self.tasks: set[str] = set()
        """The ids of all tasks that have begun, also of those that have ended."""
        self.tools: set[str] = set()
        """The names of all tools that agents have called, also of those that have ended."""
        self._given: dict[tuple[str | None, str], str] = {}
        """The tasks by what gave them: a call, for a task or for none."""
        self._unknown: list[tuple[str, str]] = []
        """The tasks and the tools of the calls whose end nobody knows."""

    def add(self, event: Event) -> None:
        match event:
            case ToolCalled(own=True):
                self._begun[event.task_id, event.call_id] = event
                self.tools.add(event.name)
            case TaskStarted():
                self._begun[event.task_id, None] = event
                self.tasks.add(event.task_id)
                self._given[giver_of(event.task_id), event.call_id] = event.task_id
            case ToolReturned():
                if event.task_id is not None and event.unknown:
                    self._unknown.append((event.task_id, event.name))
                self._begun.pop((event.task_id, event.call_id), None)
            case TaskCompleted():
                self._begun.pop((event.task_id, None), None)
            case _:
                pass

    def is_open(self, task_id: str) -> bool:
        """Whether a task has begun, and not ended."""
        return (task_id, None) in self._begun

    def unknown_in(self, place: StepPlace) -> list[str]:
        """The tools that were called at this place, of which nobody knows what they did."""
        return [name for task, name in self._unknown if place.contains_task(task)]

    def ends(self, begun: Iterable[ToolBegun] = (), place: StepPlace = WHOLE_RUN) -> list[Event]:
        """What is told of those at a place if they end here, what began last first.

        Of the calls there whose beginnings were recorded, those that act may have taken effect. A
        call that gave a task tells of those within it, because whoever gave it reads nothing else
        of the task.
        """
        acting = [call for call in begun if call.acts]
        acted = [*self._unknown, *((one.task_id, one.name) for one in acting)]
        unknown: dict[tuple[str | None, str | None], ToolBegun] = {
            (call.task_id, call.call_id): call for call in acting
        }
        ends: list[Event] = []
        for key, work in reversed(self._begun.items()):
            if not place.contains_task(work.task_id):
                continue
            if isinstance(work, TaskStarted):
                ends.append(
                    TaskCompleted(work.task_id, work.agent, STOPPED_RESULT, False, seconds=0.0)
                )
            else:
                is_unknown = unknown.pop(key, None) is not None
                text = with_unknown(
                    UNKNOWN_RESULT if is_unknown else STOPPED_RESULT, self._within(work, acted)
                )
                ends.append(
                    ToolReturned(
                        work.call_id, work.name, text, False, work.task_id, unknown=is_unknown
                    )
                )
        return [*map(unknown_result, unknown.values()), *ends]

    def _within(self, call: ToolCalled, acted: Iterable[tuple[str | None, str]]) -> list[str]:
        """The tools among these that were called within the task that a call gave."""
        given = self._given.get((call.task_id, call.call_id))
        if given is None:
            return []
        return [name for task, name in acted if task is not None and is_task_within(task, given)]


def with_unknown(result: str, tools: Sequence[str]) -> str:
    """The result of a call, with the tools that may have taken effect within it."""
    return f"{result}\n\n{', '.join(tools)}: {UNKNOWN_RESULT}" if tools else result
