"""The story of a call that is no run's: of what a surface passed on to a provider."""

from cartrita.adapters.tracing.anchors import Anchor
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.observations import Kind, Level, Observation, Subject, span_id
from cartrita.domain.json import JsonValue
from cartrita.domain.traces import CallAnswered, CalledFor
from cartrita.kit.ids import public


def _name(called_for: CalledFor) -> str:
    if called_for.part is not None:
        return called_for.part.agent
    return called_for.operation or called_for.surface


class CallStory:
    """One call, with all of its attempts; of a run whose beginning got lost, only the attempts."""

    def __init__(self, called_for: CalledFor, contents: Contents) -> None:
        part = called_for.part
        self._contents = contents
        self.anchor = Anchor(called_for.at, called_for.wall)
        self.question: JsonValue = None
        self.answer: JsonValue = None
        self.failed: dict[CalledFor, str] = {}
        self._called_for = called_for
        self.subject = Subject(
            trace_id=called_for.trace_id,
            name=_name(called_for),
            user=called_for.owner_id,
            session=None if part is None else public("conv", part.conversation_id),
            agent=None if part is None else part.agent,
            tags=(called_for.surface,),
            metadata={} if called_for.key_id is None else {"key_id": called_for.key_id},
        )

    def parent(self, called_for: CalledFor) -> int:
        """Of what a call is a part."""
        task = None if called_for.part is None else called_for.part.task_id
        trace_id = called_for.trace_id
        return span_id(trace_id, "root") if task is None else span_id(trace_id, "task", task)

    def heard(self, called_for: CalledFor, question: JsonValue, answer: JsonValue) -> None:
        """What was asked, and what was said by the last attempt that said anything.

        What a service does for long is told in stretches: these are joined, but for an attempt in
        the place of one that failed.
        """
        if called_for.operation is not None and called_for not in self.failed:
            question = self._contents.joined(self.question, question)
            answer = self._contents.joined(self.answer, answer)
        self.question = self.question if question is None else question
        self.answer = self.answer if answer is None else answer

    def answered(self, fact: CallAnswered) -> Observation:
        """The call as a whole, which is over."""
        level, status = Level.DEFAULT, None
        if fact.error is not None:
            level, status = Level.ERROR, fact.error
        elif fact.left:
            level, status = Level.WARNING, "The caller left before the end."
        elif fact.failovers:
            failed = ", ".join(f"{one.provider}/{one.model}: {one.code}" for one in fact.failovers)
            level, status = Level.WARNING, f"Others had failed: {failed}"
        return Observation(
            subject=self.subject,
            span_id=span_id(self.subject.trace_id, "root"),
            parent=None,
            kind=Kind.SPAN,
            name=self.subject.name,
            start=self.anchor.time(self._called_for.at),
            end=self.anchor.time(fact.at),
            level=level,
            status=status,
            input=self.question,
            output=self.answer,
            metadata={
                "asked_for": fact.name,
                "provider": fact.provider,
                "caller_trace": self._called_for.caller_trace,
                "cached": fact.cached or None,
            },
            caller_trace=self._called_for.caller_trace,
        )
