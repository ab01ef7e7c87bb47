"""The story of the work in a run: calls of tools, and the tasks that they give."""

from collections import Counter
from typing import Final

import msgspec

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.observations import (
    Kind,
    Level,
    Observation,
    Subject,
    span_id,
    without_nones,
)
from cartrita.domain.events import Event, TaskCompleted, TaskStarted, ToolCalled, ToolReturned
from cartrita.domain.json import JsonValue
from cartrita.domain.step_places import giver_of

_RETRIEVERS: Final = frozenset(
    {
        "web_search",
        "web_fetch",
        "github_search",
        "search_files",
        "search_conversations",
        "read_file",
    }
)
"""The tools that find something, and change nothing."""
_NOT_ENDED: Final = "It had not ended when the run did."


class _Open(msgspec.Struct, frozen=True):
    """A call of a tool that has no result yet; `number` counts those of the same id before it."""

    called: ToolCalled
    start: int
    number: int


class WorkStory:
    """What agents have begun in a run; what this process did not see begin has begun just now."""

    def __init__(self, subject: Subject, contents: Contents) -> None:
        self._subject = subject
        self._contents = contents
        self._tools: dict[tuple[str | None, str], _Open] = {}
        self._tasks: dict[str, tuple[TaskStarted, int]] = {}
        self._called: Counter[tuple[str | None, str]] = Counter()

    def add(self, event: Event, time: int) -> None:
        """Something has begun, or ended as another process told."""
        match event:
            case ToolCalled(own=True, task_id=task_id, call_id=call_id):
                key = task_id, call_id
                self._tools[key] = _Open(event, time, self._called[key])
                self._called[key] += 1
            case ToolReturned(task_id=task_id, call_id=call_id):
                self._tools.pop((task_id, call_id), None)
            case TaskStarted(task_id=task_id):
                self._tasks[task_id] = event, time
            case TaskCompleted(task_id=task_id):
                self._tasks.pop(task_id, None)
            case _:
                pass

    def is_done(self, task_id: str | None, call_id: str) -> bool:
        """Whether a call has had its result."""
        key = task_id, call_id
        return key in self._called and key not in self._tools

    def agent(self, task_id: str | None) -> int:
        """The span of the agent that does a task, or of the one that answers."""
        place = ("root",) if task_id is None else ("task", task_id)
        return span_id(self._subject.trace_id, *place)

    def tool(self, event: ToolReturned, time: int, status: str | None = None) -> Observation:
        """A call of a tool, which has its result."""
        key = event.task_id, event.call_id
        opened = self._tools.pop(key, None)
        called = None if opened is None else opened.called
        if event.unknown:
            status = "It is not known whether it took effect."
        elif not event.success:
            status = status or self._failure(event.result)
        return Observation(
            subject=self._subject,
            span_id=self._tool_id(*key, self._called[key] if opened is None else opened.number),
            parent=self.agent(event.task_id),
            kind=Kind.RETRIEVER if event.name in _RETRIEVERS else Kind.TOOL,
            name=event.name,
            start=time if opened is None else min(opened.start, time),
            end=time,
            level=Level.DEFAULT if event.success else Level.ERROR,
            status=status,
            input=None if called is None else self._contents.value(called.arguments),
            output=self._contents.result(event.result),
            metadata=without_nones({"call_id": event.call_id, "cost_usd": event.cost}),
        )

    def task(self, event: TaskCompleted, time: int, status: str | None = None) -> Observation:
        """A task, which is done."""
        started, start = self._tasks.pop(event.task_id, (None, time))
        if not event.success:
            status = status or self._failure(event.result)
        return Observation(
            subject=self._subject,
            span_id=self.agent(event.task_id),
            parent=self._giver(event.task_id, started),
            kind=Kind.AGENT,
            name=event.agent,
            start=min(start, time),
            end=time,
            level=Level.DEFAULT if event.success else Level.ERROR,
            status=status,
            input=None if started is None else self._contents.text(started.description),
            output=self._contents.text(event.result or None),
            metadata={"task_id": event.task_id},
        )

    def left_open(self, time: int) -> list[Observation]:
        """What has no end where the run has one; tasks first, whose ids come of their calls."""
        tasks = [
            TaskCompleted(task_id, started.agent, "", False, 0.0)
            for task_id, (started, _) in self._tasks.items()
        ]
        tools = [
            ToolReturned(call_id, one.called.name, None, False, task_id)
            for (task_id, call_id), one in self._tools.items()
        ]
        told = [self.task(one, time, _NOT_ENDED) for one in tasks]
        return told + [self.tool(one, time, _NOT_ENDED) for one in tools]

    def _giver(self, task_id: str, started: TaskStarted | None) -> int:
        """The span of the call that gave a task."""
        giver = giver_of(task_id)
        if started is None:
            return self.agent(giver)
        opened = self._tools.get((giver, started.call_id))
        return self._tool_id(giver, started.call_id, 0 if opened is None else opened.number)

    def _tool_id(self, task_id: str | None, call_id: str, number: int) -> int:
        return span_id(self._subject.trace_id, "tool", task_id, call_id, number)

    def _failure(self, result: JsonValue) -> str:
        """Why something failed, as far as that may be told."""
        told = self._contents.text(result if isinstance(result, str) else None)
        return told[:500] if isinstance(told, str) else "It failed."
