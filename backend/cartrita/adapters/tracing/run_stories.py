"""The story of a run: what its agents did, what it waited for, and how it ended."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from cartrita.adapters.tracing.anchors import Anchor, time_of
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.observations import (
    NO_FIELDS,
    Kind,
    Level,
    Observation,
    span_id,
)
from cartrita.adapters.tracing.run_roots import root_of, subject_of
from cartrita.adapters.tracing.work_stories import WorkStory
from cartrita.domain.approvals import Approval
from cartrita.domain.events import (
    ApprovalAsked,
    Event,
    HistorySummarized,
    ModelAccepted,
    ProviderAwaited,
    SourceFound,
    TaskCompleted,
    TaskStarted,
    ToolCalled,
    ToolReturned,
)
from cartrita.domain.json import JsonValue
from cartrita.domain.traces import CalledFor, RunEnded, RunNoted, RunTaken


class RunStory:
    """One run, from where this process took it up; earlier parts were told by other processes."""

    def __init__(self, taken: RunTaken, contents: Contents) -> None:
        claim = taken.claim
        self.anchor = Anchor(taken.at, taken.wall)
        self.subject = subject_of(claim)
        self.failed: dict[CalledFor, str] = {}
        self._claim = claim
        self._contents = contents
        self._work = WorkStory(self.subject, contents)
        self._question: JsonValue = None
        self._sources = 0
        self._answered_by = f"{claim.input.provider}/{claim.input.model}"
        start = self._begun = self.anchor.time(taken.at)
        for event in claim.logged:
            self._work.add(event, start)

    def parent(self, called_for: CalledFor) -> int:
        """What a call of a model is a part of: what its agent does."""
        return self._work.agent(None if called_for.part is None else called_for.part.task_id)

    def heard(self, called_for: CalledFor, question: JsonValue, answer: JsonValue) -> None:
        """What was asked: the first model that the run called has read it."""
        if self._question is None and called_for.part and called_for.part.task_id is None:
            self._question = question

    def resumed(self, at: float) -> Sequence[Observation]:
        """What is told where another process, or this one before, has worked on the run."""
        claim, time = self._claim, self.anchor.time(at)
        if claim.attempt == 1:
            return ()
        approvals = [
            self._approval(one, time)
            for one in claim.approvals
            if one.decision is not None and not self._work.is_done(_task_of(one), one.call_id)
        ]
        told = {"attempt": claim.attempt, "events": claim.last_seq}
        return (*approvals, self._event("resumed", ("resumed", claim.attempt), time, told))

    def noted(self, fact: RunNoted) -> Sequence[Observation]:
        """What is complete with this event."""
        event, time = fact.event, self.anchor.time(fact.at)
        match event:
            case ToolCalled() | TaskStarted():
                self._work.add(event, time)
            case ToolReturned():
                return (self._work.tool(event, time),)
            case TaskCompleted():
                return (self._work.task(event, time),)
            case SourceFound():
                self._sources += 1
            case ModelAccepted(provider=provider, model=model):
                self._answered_by = f"{provider}/{model}"
            case _:
                return tuple(self._told(event, time))
        return ()

    def ended(self, fact: RunEnded) -> Sequence[Observation]:
        """What was not ended, and the run itself."""
        time = self.anchor.time(fact.at)
        told = {
            "model": self._answered_by,
            "attempt": self._claim.attempt,
            "sources": self._sources,
        }
        root = root_of(self.subject, fact.ending, self._begun, time, self._contents, told)
        return (*self._work.left_open(time), replace(root, input=self._question))

    def _told(self, event: Event, time: int) -> Iterator[Observation]:
        match event:
            case ProviderAwaited():
                told = {
                    "provider": event.provider,
                    "seconds": event.seconds,
                    "position": event.position,
                }
                yield self._event("provider_awaited", ("awaited", time), time, told)
            case HistorySummarized(messages=messages):
                told = {"messages": messages}
                yield self._event("history_summarized", ("summarized", time), time, told)
            case ApprovalAsked(approval_id=asked, name=name, task_id=task_id):
                told = {"approval_id": asked, "tool": name, "expires_at": event.expires_at}
                place, agent = ("asked", asked), self._work.agent(task_id)
                yield self._event("approval_asked", place, time, told, agent)
            case _:
                pass

    def _approval(self, approval: Approval, time: int) -> Observation:
        """What a person was asked, until the run went on."""
        decided = "expired" if approval.expired else str(approval.decision)
        approved = decided == "approved"
        return Observation(
            subject=self.subject,
            span_id=span_id(self._claim.run_id, "approval", approval.id),
            parent=self._work.agent(_task_of(approval)),
            kind=Kind.GUARDRAIL,
            name="approval",
            start=min(time_of(approval.id), time),
            end=time,
            level=Level.DEFAULT if approved else Level.WARNING,
            status=None if approved else f"It was {decided}.",
            input=self._contents.value(approval.arguments),
            output=decided,
            metadata={"tool": approval.tool, "call_id": approval.call_id},
        )

    def _event(
        self,
        name: str,
        place: tuple[object, ...],
        time: int,
        metadata: Mapping[str, JsonValue] = NO_FIELDS,
        parent: int | None = None,
    ) -> Observation:
        return Observation(
            subject=self.subject,
            span_id=span_id(self._claim.run_id, *place),
            parent=self._work.agent(None) if parent is None else parent,
            kind=Kind.EVENT,
            name=name,
            start=time,
            end=time,
            metadata=metadata,
        )


def _task_of(approval: Approval) -> str | None:
    """The task whose agent made the call, if one did."""
    numbers = approval.place.numbers[:-2]
    return "_".join(("task", *map(str, numbers))) if numbers else None
