"""The first observations of runs: whose each is, and how it ended."""

from collections.abc import Mapping

from cartrita.adapters.tracing.anchors import Anchor, time_of
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.observations import (
    Kind,
    Level,
    Observation,
    Subject,
    span_id,
    without_nones,
)
from cartrita.domain.events import RunCompleted, StopStatus
from cartrita.domain.json import JsonValue
from cartrita.domain.runs import Claim, Ending, Run
from cartrita.domain.traces import RunAbandoned, RunCalled
from cartrita.kit.ids import public


def subject_of(run: Claim | Run) -> Subject:
    """What is told of every observation of a run."""
    given = run.input
    run_id, agent, provider = (
        (run.id, run.agent, run.provider)
        if isinstance(run, Run)
        else (run.run_id, run.started.agent, run.input.provider)
    )
    metadata: dict[str, JsonValue] = {
        "run_id": public("run", run_id),
        "message_id": public("msg", run.message_id),
        "key_id": None if given is None else given.key_id,
        "route": None if given is None else given.route,
    }
    return Subject(
        trace_id=run_id,
        name=agent,
        user=run.owner_id,
        session=public("conv", run.conversation_id),
        agent=agent,
        tags=(run.surface, agent, provider),
        metadata=without_nones(metadata),
    )


def root_of(
    subject: Subject,
    ending: Ending,
    start: int,
    end: int,
    contents: Contents,
    metadata: Mapping[str, JsonValue],
) -> Observation:
    """The whole run; it begins when it was asked for, by the clock of the database, or before."""
    level, status = _how(ending)
    usage, event = ending.usage, ending.event
    told: dict[str, JsonValue] = {
        "status": ending.status.value,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        **metadata,
    }
    if isinstance(event, RunCompleted):
        output = contents.text(event.text)
        told["agents"] = ", ".join(event.agents_used)
        told["finish_reason"] = event.finish_reason.value
        told["stopped_by_cap"] = event.cap
    else:
        said = None if ending.message is None else ending.message.text
        output = contents.text(said or None)
        told["error"] = event.code
    begun = min(time_of(subject.trace_id), start)
    return Observation(
        subject=subject,
        span_id=span_id(subject.trace_id, "root"),
        parent=None,
        kind=Kind.AGENT,
        name=subject.name,
        start=begun,
        end=max(begun, end),
        level=level,
        status=status,
        output=output,
        metadata=without_nones(told),
    )


def abandoned(fact: RunAbandoned, contents: Contents) -> Observation:
    """A run that ended while no process worked on it; what it was asked is not known here."""
    run = fact.run
    now = Anchor(fact.at, fact.wall).time(fact.at)
    told: dict[str, JsonValue] = {"model": f"{run.provider}/{run.model}", "attempt": run.attempt}
    return root_of(subject_of(run), fact.ending, now, now, contents, told)


def called(fact: RunCalled) -> Observation:
    """In whose trace a run was asked for, which another process may work on."""
    subject = Subject(
        trace_id=fact.run_id,
        name=fact.agent,
        user=fact.owner_id,
        session=public("conv", fact.conversation_id),
        agent=fact.agent,
        tags=(fact.surface, fact.agent, fact.provider),
        metadata={"run_id": public("run", fact.run_id)},
    )
    time = Anchor(fact.at, fact.wall).time(fact.at)
    return Observation(
        subject=subject,
        span_id=span_id(fact.run_id, "called"),
        parent=span_id(fact.run_id, "root"),
        kind=Kind.EVENT,
        name="called",
        start=time,
        end=time,
        metadata={"caller_trace": fact.caller_trace},
        caller_trace=fact.caller_trace,
    )


def _how(ending: Ending) -> tuple[Level, str | None]:
    event = ending.event
    if isinstance(event, RunCompleted):
        return Level.DEFAULT, None
    failed = event.kind is StopStatus.FAILED
    return Level.ERROR if failed else Level.WARNING, f"{event.kind.value}: {event.code}"
