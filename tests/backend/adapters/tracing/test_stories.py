"""Facts become observations that nest as the work did, also where it went on elsewhere."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.backend.adapters.tracing.samples import (
    AT,
    WALL,
    called,
    completed,
    request,
    run_id,
    stopped,
    taken,
)

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.langfuse_attributes import langfuse_attributes
from cartrita.adapters.tracing.observations import Kind, Level, Observation, span_id
from cartrita.adapters.tracing.stories import Stories
from cartrita.domain.approvals import Approval, Decision
from cartrita.domain.deltas import ToolCallDelta
from cartrita.domain.events import (
    ApprovalAsked,
    Event,
    ProviderAwaited,
    RunStarted,
    StopStatus,
    TaskCompleted,
    TaskStarted,
    ToolCalled,
    ToolReturned,
)
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonValue
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.requests import Sampling
from cartrita.domain.step_places import StepPlace
from cartrita.domain.traces import CallAnswered, CallContents, Fact, RunEnded, RunLeft, RunNoted
from cartrita.domain.usage import Usage
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret

DELEGATED = ToolCalled("call_1", "delegate", {"agent": "researcher"}, own=True)
TASK = TaskStarted("task_1_1", "call_1", "researcher", "Look it up.")
SEARCHED = ToolCalled("call_1", "web_search", {"query": "moss"}, own=True, task_id="task_1_1")
FOUND = ToolReturned("call_1", "web_search", "Moss.", True, "task_1_1", cost=0.008)
DONE = TaskCompleted("task_1_1", "researcher", "Slowly.", True, 1.0)
RETURNED = ToolReturned("call_1", "delegate", "Slowly.", True)


def told(facts: list[Fact], policy: Any = "full", most: int = 1000) -> list[Observation]:
    stories = Stories(Contents(policy, most))
    return [one for fact in facts for one in stories.told(fact)]


def noted(run: RunId, *events: Event, at: float = AT + 1) -> list[Fact]:
    return [RunNoted(run, event, at + number) for number, event in enumerate(events)]


def tree(observations: list[Observation]) -> list[tuple[str, str | None]]:
    """Each observation by name, with the name of what it is in."""
    names = {one.span_id: one.name for one in observations}
    return [(one.name, None if one.parent is None else names[one.parent]) for one in observations]


def test_what_agents_do_is_within_what_gave_it_to_them() -> None:
    run = run_id()
    facts = [
        taken(run),
        called(run),
        *noted(run, DELEGATED, TASK),
        called(run, "task_1_1"),
        *noted(run, SEARCHED, FOUND, DONE, RETURNED, at=AT + 5),
        RunEnded(run, completed(), AT + 20),
    ]
    found = told(facts)
    assert tree(found) == [
        ("fake", "supervisor"),
        ("fake", "researcher"),
        ("web_search", "researcher"),
        ("researcher", "delegate"),
        ("delegate", "supervisor"),
        ("supervisor", None),
    ]
    assert [one.kind for one in found] == [
        Kind.GENERATION,
        Kind.GENERATION,
        Kind.RETRIEVER,
        Kind.AGENT,
        Kind.TOOL,
        Kind.AGENT,
    ]
    root = found[-1]
    assert (root.input, root.output) == ("How fast?", "Slowly.")
    assert {one.subject.session for one in found} == {f"conv_{5:032x}"}
    assert {one.subject.user for one in found} == {"ann"}
    assert len({one.span_id for one in found}) == 6


def test_moments_are_told_from_the_first_also_if_the_wall_clock_is_set() -> None:
    run = run_id()
    (generation, _) = told([taken(run), called(run), RunEnded(run, completed(), AT + 4)])
    assert generation.start == int((WALL + 1) * 1e9)
    assert generation.end == int((WALL + 3) * 1e9)
    assert generation.use is not None
    assert generation.use.first_output == int((WALL + 1.5) * 1e9)


def test_a_run_begins_when_it_was_asked_for_and_never_after_its_parts() -> None:
    run = RunId(UUID(int=(int(WALL * 1000) + 60_000) << 80 | 7 << 76))
    *_, root = told([taken(run), called(run), RunEnded(run, completed(), AT + 4)])
    assert root.start == int(WALL * 1e9), "the database's clock is a minute ahead"


def test_calls_of_one_id_have_ids_of_their_own() -> None:
    run = run_id()
    again = noted(run, DELEGATED, RETURNED, DELEGATED, RETURNED)
    first, second = told([taken(run), *again])
    assert first.span_id != second.span_id


@pytest.mark.parametrize(
    ("kind", "level", "status"),
    [
        (StopStatus.FAILED, Level.ERROR, "failed: upstream_error"),
        (StopStatus.CANCELLED, Level.WARNING, "cancelled: upstream_error"),
        (StopStatus.INTERRUPTED, Level.WARNING, "interrupted: upstream_error"),
    ],
)
def test_a_run_that_stops_says_how(kind: StopStatus, level: Level, status: str) -> None:
    run = run_id()
    open_, root = told(
        [
            taken(run),
            *noted(run, DELEGATED),
            RunEnded(run, stopped(kind, "upstream_error"), AT + 9),
        ]
    )
    assert (root.level, root.status, root.output) == (level, status, "Slo")
    assert (open_.name, open_.level) == ("delegate", Level.ERROR)
    assert open_.end == root.end


def test_a_run_goes_on_in_its_trace_elsewhere() -> None:
    run = run_id()
    begun = told([taken(run), called(run), *noted(run, DELEGATED, TASK), RunLeft(run, AT + 4)])
    assert [one.name for one in begun] == ["fake"]
    logged = (RunStarted("conv_5", "msg_7", "supervisor", "fake", "openai"), DELEGATED, TASK)
    resumed = told(
        [
            taken(run, attempt=2, logged=logged, last_seq=3),
            *noted(run, SEARCHED, FOUND, DONE, RETURNED),
            RunEnded(run, completed(), AT + 9),
        ]
    )
    assert tree(resumed) == [
        ("resumed", "supervisor"),
        ("web_search", "researcher"),
        ("researcher", "delegate"),
        ("delegate", "supervisor"),
        ("supervisor", None),
    ]
    assert begun[0].parent == resumed[-1].span_id == span_id(run, "root")
    assert resumed[2].input == "Look it up."


def test_what_a_person_decided_is_told_when_the_run_goes_on() -> None:
    run, asked = run_id(), uuid7()
    acts = ToolCalled("call_9", "run_code", {"code": "1"}, own=True)
    event = ApprovalAsked(f"appr_{asked.hex}", "call_9", "run_code", {"code": "1"}, "h", "2027")
    waiting = told([taken(run), *noted(run, acts, event), RunLeft(run, AT + 9)])
    assert [(one.kind, one.name) for one in waiting] == [(Kind.EVENT, "approval_asked")]
    approval = Approval(
        id=asked,
        run_id=run,
        owner_id="ann",
        place=StepPlace((1, 1)),
        call_id="call_9",
        agent="supervisor",
        tool="run_code",
        arguments={"code": "1"},
        arguments_hash="h",
        expires_at=None,  # type: ignore[arg-type]
        decision=Decision.DENIED,
    )
    guardrail, resumed, tool = told(
        [
            taken(run, attempt=2, logged=(acts, event), approvals=(approval,)),
            *noted(run, ToolReturned("call_9", "run_code", "A person denied it.", False)),
        ]
    )
    assert (guardrail.kind, guardrail.level) == (Kind.GUARDRAIL, Level.WARNING)
    assert (guardrail.status, resumed.kind) == ("It was denied.", Kind.EVENT)
    assert (tool.name, tool.level) == ("run_code", Level.ERROR)


def test_the_call_that_answers_after_failures_names_them() -> None:
    run = run_id()
    failed = called(run, outcome=CallOutcome.FAILED, error="upstream_overloaded", contents=None)
    (first, second, third) = told([taken(run), failed, called(run), called(run)])
    assert (first.level, first.status) == (Level.ERROR, "upstream_overloaded")
    assert second.level is Level.WARNING
    assert second.status == "It answered after openai/fake: upstream_overloaded"
    assert third.level is Level.DEFAULT


def test_a_wait_for_a_provider_is_an_event() -> None:
    run = run_id()
    (event,) = told([taken(run), *noted(run, ProviderAwaited("openai", 2.0, 3))])
    assert (event.kind, event.name, event.start) == (Kind.EVENT, "provider_awaited", event.end)
    assert event.metadata == {"provider": "openai", "seconds": 2.0, "position": 3}


def test_a_call_without_a_run_is_a_trace_of_its_own() -> None:
    run = run_id()
    fact = called(run)
    alone = type(fact.called_for)(
        trace_id=run, at=AT, wall=WALL, owner_id="ann", key_id=None, surface="openai_chat"
    )
    answered = CallAnswered(
        called_for=alone,
        name="chat",
        provider="openai",
        failovers=(),
        error=None,
        left=True,
        at=AT + 5,
    )
    generation, root = told([called(run, called_for=alone), answered])
    assert generation.parent == root.span_id
    assert (root.kind, root.name, root.parent) == (Kind.SPAN, "openai_chat", None)
    assert (root.level, root.input) == (Level.WARNING, "How fast?")
    assert root.subject.session is None


def test_an_answer_from_the_cache_is_told_as_one() -> None:
    run = run_id()
    alone = type(called(run).called_for)(
        trace_id=run, at=AT, wall=WALL, owner_id="ann", key_id=None, surface="openai_chat"
    )
    answered = CallAnswered(
        called_for=alone,
        name="chat",
        provider="openai",
        failovers=(),
        error=None,
        left=False,
        at=AT + 5,
        cached=True,
    )
    kept = called(run, called_for=alone, usage=Usage(), costs={}, cached=True)
    generation, root = told([kept, answered])
    assert (generation.kind, generation.level, root.level) == (
        Kind.GENERATION,
        Level.DEFAULT,
        Level.DEFAULT,
    )
    assert generation.metadata["cached"] is root.metadata["cached"] is True
    attributes = langfuse_attributes(generation, None, None)
    assert attributes["langfuse.observation.cost_details"] == '{"total": 0.0}'
    assert attributes["langfuse.observation.usage_details"] == (
        '{"input": 0, "output": 0, "total": 0}'
    )
    for uncached in told([called(run, called_for=alone), replace(answered, cached=False)]):
        assert not any("cached" in name for name in langfuse_attributes(uncached, None, None))


def test_what_cannot_be_read_is_told_without() -> None:
    def broken() -> Any:
        raise ValueError("It is broken.")

    run = run_id()
    fact = called(run)
    assert fact.contents is not None
    (found,) = told([called(run, contents=type(fact.contents)(broken, broken, 10))])
    assert (found.input, found.output) == (None, None)
    assert found.use is not None
    assert found.use.usage.total_tokens == 30


def test_facts_of_a_run_that_nobody_saw_begin_are_no_story() -> None:
    run = run_id()
    assert told([*noted(run, DELEGATED, RETURNED), RunEnded(run, completed(), AT)]) == []


@pytest.mark.parametrize(
    ("policy", "stop"), [("full", ["sk-***", "moss"]), ("redacted", 2), ("none", None)]
)
def test_what_a_caller_chose_is_told_as_its_messages_are(policy: str, stop: JsonValue) -> None:
    run = run_id()
    asked = replace(request(), sampling=Sampling(stop=("sk-abcdefghijklmnop", "moss")))
    contents = CallContents(lambda: asked, list, 10)
    (found,) = told([called(run, contents=contents)], policy)
    assert found.use is not None
    assert found.use.parameters.get("stop") == stop


@pytest.mark.parametrize("policy", ["none", "redacted"])
def test_only_what_the_policy_allows_is_told(policy: str) -> None:
    run = run_id()
    facts = [
        taken(run),
        called(run),
        *noted(run, DELEGATED, TASK, SEARCHED, FOUND, DONE, RETURNED),
        RunEnded(run, completed("Slowly indeed."), AT + 9),
    ]
    for one in told(facts, policy):
        words = repr((one.input, one.output, one.status, one.use))
        for word in ("How fast", "Be brief", "moss", "Moss", "Slowly", "Look it up"):
            assert word not in words
        if policy == "none":
            assert one.input is one.output is None


@pytest.mark.parametrize("name", ["sk-proj-abcdefghijklmnopqrst", "an-own-secret-of-this-server"])
@pytest.mark.parametrize("policy", ["full", "redacted", "none"])
def test_a_secret_in_the_place_of_a_name_is_not_told(name: str, policy: Any) -> None:
    contents = Contents(policy, 1000, [Secret("an-own-secret-of-this-server")])
    run, stories = run_id(), Stories(contents)
    asked = ToolCallDelta(0, name, name, "{}")
    kept = CallContents(request, lambda: [asked], 100)
    facts: list[Fact] = [
        taken(run),
        called(run, model=name, contents=kept),
        called(run, model=name, contents=None, outcome=CallOutcome.FAILED),
        *noted(run, ToolCalled(name, name, {}, own=True), ToolReturned(name, name, "No.", False)),
        RunEnded(run, stopped(StopStatus.FAILED, name), AT + 9),
    ]
    observations = [one for fact in facts for one in stories.told(fact)]
    assert len(observations) == 4
    assert name not in repr(observations)
    assert name not in repr([langfuse_attributes(one, None, None) for one in observations])
