"""Tools that act wait for a person, who decides on exactly what will be done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.agents.acting_fixture import Acting
from tests.backend.agents.loop_fixture import (
    LoopFixture,
    asked,
    called,
    said,
)
from tests.backend.application.fakes import claim, until

from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.approvals import Approval, ApprovalPolicy, Decision, hash_arguments
from cartrita.domain.events import ApprovalAsked, RunCompleted, ToolReturned
from cartrita.domain.messages import ToolResult
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Claim, Ending, RunInput
from cartrita.domain.scopes import Operation, Scopes
from cartrita.domain.step_records import StepState
from cartrita.tools.tool import Risk

STEP = called(("act", {"what": "a"}), ("calculator", {"expression": "1+1"}))


def fixture_of(acting: Acting, *scripts: Any, approval: str = "risky") -> LoopFixture:
    given = {"approval": approval, "tools": ["calculator", "act"]}
    return LoopFixture(*scripts, tools=(acting.tool,), overrides={"supervisor": given})


async def suspended(fixture: LoopFixture, claimed: Claim) -> tuple[Approval, ...]:
    """Execute a run until it waits."""
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(lambda: claimed.run_id in fixture.queue.approvals)
        await until(lambda: not fixture.executor._active)
    assert fixture.queue.endings == {}
    return fixture.queue.approvals[claimed.run_id]


async def after(
    fixture: LoopFixture, claimed: Claim, approvals: Any, *scripts: Any, acting: Acting
) -> tuple[Ending, LoopFixture]:
    """Go on with these decisions."""
    events, steps = fixture.recorded(claimed)
    again = fixture_of(acting, *scripts)
    return await again.resumed(replace(claimed, approvals=approvals), events, steps), again


def text_of(ending: Ending) -> str:
    assert isinstance(ending.event, RunCompleted), ending.event
    return ending.event.text


@pytest.mark.parametrize("wrong", [{}, {"what": 1}, {"what": "a", "more": 1}, {"what": "x" * 50}])
async def test_nobody_is_asked_about_arguments_that_the_tool_does_not_take(wrong: Any) -> None:
    acting = Acting()
    fixture = fixture_of(acting, called(("act", wrong)), said("I was wrong."))
    claimed = asked()
    assert text_of(await fixture.ending(claimed)) == "I was wrong."
    ((_, told, success),) = fixture.results(claimed)
    assert (told.startswith("The arguments are wrong: "), success) == (True, False)
    assert (acting.done, fixture.queue.approvals) == ([], {})


@pytest.mark.parametrize("given", [{}, {"agent": "actor"}, {"agent": "nobody", "task": "Act."}])
async def test_nobody_is_asked_about_a_task_that_cannot_begin(given: Any) -> None:
    overrides = {
        "supervisor": {"delegates": ["actor"], "tools": []},
        "actor": {"instructions": "Act."},
    }
    fixture = LoopFixture(
        called(("delegate", given)), said("I was wrong."), tools=(), overrides=overrides
    )
    claimed = asked(approval=ApprovalPolicy.ALWAYS)
    assert text_of(await fixture.ending(claimed)) == "I was wrong."
    ((_, told, success),) = fixture.results(claimed)
    assert (told.startswith("The task was not begun: "), success) == (True, False)


async def test_a_tool_that_acts_is_asked_for_when_the_rest_is_done() -> None:
    acting = Acting()
    fixture = fixture_of(acting, STEP)
    claimed = asked()
    (approval,) = await suspended(fixture, claimed)
    assert acting.done == []
    assert [each for each, _, _ in fixture.results(claimed)] == ["c2"], "what needs nobody is done"
    assert (approval.tool, approval.arguments, approval.place.text) == ("act", {"what": "a"}, "1.1")
    assert approval.arguments_hash == hash_arguments("act", {"what": "a"})
    assert approval.expires_at > datetime.now(UTC) + timedelta(minutes=50)
    event = fixture.queue.events[claimed.run_id][-1]
    assert isinstance(event, ApprovalAsked)
    assert (event.name, event.arguments_hash) == ("act", approval.arguments_hash)
    assert event.approval_id == f"appr_{approval.id.hex}"

    approved = replace(approval, decision=Decision.APPROVED)
    ending, again = await after(fixture, claimed, (approved,), said("Done."), acting=acting)
    assert text_of(ending) == "Done."
    assert len(acting.done) == 1
    intent, done = again.queue.steps[claimed.run_id]
    assert (intent.state, intent.approval_id) == (StepState.INTENT, approval.id)
    assert intent.input_hash == approval.arguments_hash
    assert done.state is StepState.DONE
    sent = again.provider.requests[-1].messages[-1].parts
    assert [part.approved for part in sent if isinstance(part, ToolResult)] == [True, False]


@pytest.mark.parametrize(
    ("decision", "expired", "told"),
    [
        (Decision.DENIED, False, "did not allow this"),
        (None, False, "did not allow this"),
        (Decision.DENIED, True, "nobody decided in time"),
    ],
)
async def test_without_an_approval_nothing_is_done(
    decision: Decision | None, expired: bool, told: str
) -> None:
    acting = Acting()
    fixture = fixture_of(acting, STEP)
    claimed = asked()
    (approval,) = await suspended(fixture, claimed)
    denied = replace(approval, decision=decision, expired=expired)
    ending, again = await after(fixture, claimed, (denied,), said("Not allowed."), acting=acting)
    assert text_of(ending) == "Not allowed."
    assert acting.done == []
    ((_, result, success),) = again.results(claimed)
    assert told in result
    assert not success


@pytest.mark.parametrize("expired", [False, True])
@pytest.mark.parametrize("risk", [Risk.TOUCH, Risk.READ])
async def test_what_was_asked_and_not_allowed_is_not_done_where_it_is_less_risky(
    risk: Risk, *, expired: bool
) -> None:
    fixture, claimed = fixture_of(Acting(), STEP), asked()
    (approval,) = await suspended(fixture, claimed)
    denied = replace(approval, decision=Decision.DENIED, expired=expired)
    acting = Acting(risk)  # as another worker knows it
    ending, again = await after(fixture, claimed, (denied,), said("Not allowed."), acting=acting)
    assert text_of(ending) == "Not allowed."
    assert acting.done == []
    ((_, result, success),) = again.results(claimed)
    assert not success
    assert result.startswith("A person was asked, and ")
    sent = again.provider.requests[-1].messages[-1].parts
    assert not any(part.approved for part in sent if isinstance(part, ToolResult))


async def test_what_was_approved_is_recorded_as_that_where_it_is_less_risky() -> None:
    fixture, claimed = fixture_of(Acting(), STEP), asked()
    (approval,) = await suspended(fixture, claimed)
    approved = replace(approval, decision=Decision.APPROVED)
    acting = Acting(Risk.TOUCH)
    ending, again = await after(fixture, claimed, (approved,), said("Done."), acting=acting)
    assert (text_of(ending), len(acting.done)) == ("Done.", 1)
    assert again.queue.steps[claimed.run_id][0].approval_id == approval.id


async def test_an_approval_of_other_arguments_is_none() -> None:
    acting = Acting()
    fixture = fixture_of(acting, STEP)
    claimed = asked()
    (approval,) = await suspended(fixture, claimed)
    other = replace(
        approval,
        decision=Decision.APPROVED,
        arguments={"what": "b"},
        arguments_hash=hash_arguments("act", {"what": "b"}),
    )
    ending, again = await after(fixture, claimed, (other,), said("Hm."), acting=acting)
    assert text_of(ending) == "Hm."
    assert acting.done == []
    assert "not those that were approved" in again.results(claimed)[0][1]


async def test_where_nobody_can_be_asked_it_is_denied() -> None:
    acting = Acting()
    fixture = fixture_of(acting, STEP, said("Nobody is here."))
    claimed = claim(
        surface="openai_chat",
        input=RunInput(agent="supervisor", provider="p", model="m", answerable=False),
    )
    assert text_of(await fixture.ending(claimed)) == "Nobody is here."
    assert acting.done == []
    assert "nobody can be asked" in {c: r for c, r, _ in fixture.results(claimed)}["c1"]


@pytest.mark.parametrize(
    ("policy", "asked_for", "waits"),
    [
        ("never", None, []),
        ("never", ApprovalPolicy.RISKY, ["act"]),
        ("risky", None, ["act"]),
        ("risky", ApprovalPolicy.NEVER, ["act"]),
        ("risky", ApprovalPolicy.ALWAYS, ["act", "calculator"]),
        ("always", ApprovalPolicy.NEVER, ["act", "calculator"]),
    ],
)
async def test_a_request_can_only_tighten(
    policy: str, asked_for: ApprovalPolicy | None, waits: list[str]
) -> None:
    acting = Acting()
    fixture = fixture_of(acting, STEP, said("Done."), approval=policy)
    claimed = asked(approval=asked_for)
    if waits:
        assert [one.tool for one in await suspended(fixture, claimed)] == waits
    else:
        assert text_of(await fixture.ending(claimed)) == "Done."
        assert len(acting.done) == 1


async def test_a_task_can_wait_too() -> None:
    acting = Acting()
    overrides = {
        "supervisor": {"delegates": ["actor"], "tools": []},
        "actor": {"instructions": "Act.", "tools": ["act"]},
    }
    delegated = called(("delegate", {"agent": "actor", "task": "Act."}))
    options: Any = {"tools": (acting.tool,), "overrides": overrides}
    fixture = LoopFixture(delegated, called(("act", {"what": "a"}), first=5), **options)
    claimed = asked()
    (approval,) = await suspended(fixture, claimed)
    assert (approval.agent, approval.place.text) == ("actor", "1.1.1.1")
    (event,) = [e for e in fixture.queue.events[claimed.run_id] if isinstance(e, ApprovalAsked)]
    assert event.task_id == "task_1_1"
    events, steps = fixture.recorded(claimed)
    again = LoopFixture(said("I acted."), said("It is done."), **options)
    approved = replace(claimed, approvals=(replace(approval, decision=Decision.APPROVED),))
    ending = await again.resumed(approved, events, steps)
    assert text_of(ending) == "It is done."
    assert len(acting.done) == 1
    returned = [e for e in again.queue.events[claimed.run_id] if isinstance(e, ToolReturned)]
    assert [(e.name, e.result) for e in returned] == [("act", "did a"), ("delegate", "I acted.")]


async def test_an_approved_task_goes_on_after_an_approval_of_its_own() -> None:
    acting = Acting()
    options: Any = {
        "tools": (acting.tool,),
        "overrides": {
            "supervisor": {"delegates": ["actor"], "tools": []},
            "actor": {"instructions": "Act.", "tools": ["act"]},
        },
    }
    claimed = asked(approval=ApprovalPolicy.ALWAYS)
    first = LoopFixture(called(("delegate", {"agent": "actor", "task": "Act."})), **options)
    (delegated,) = await suspended(first, claimed)
    events, steps = first.recorded(claimed)
    assert delegated.tool == "delegate"

    second = LoopFixture(called(("act", {"what": "a"}), first=5), **options)
    again = replace(
        claimed,
        attempt=2,
        approvals=(replace(delegated, decision=Decision.APPROVED),),
        logged=(claimed.started, *events),
        steps=tuple(steps),
    )
    (acted,) = await suspended(second, again)
    assert acted.place.text == "1.1.1.1"
    more, later = second.recorded(claimed)

    third = LoopFixture(said("I acted."), said("It is done."), **options)
    both = (
        replace(delegated, decision=Decision.APPROVED),
        replace(acted, decision=Decision.APPROVED),
    )
    latest = {one.place: one for one in (*steps, *later)}
    ending = await third.resumed(
        replace(claimed, approvals=both), (*events, *more), latest.values()
    )
    assert text_of(ending) == "It is done."
    assert len(acting.done) == 1
    results = [(result, success) for _, result, success in third.results(claimed)]
    assert results == [("did a", True), ("I acted.", True)]
    intents = [s for s in third.queue.steps[claimed.run_id] if s.state is StepState.INTENT]
    assert [one.approval_id for one in intents] == [acted.id], "each approval is used once"


class _Keys:
    """Every key is for these operations."""

    def __init__(self, *operations: str) -> None:
        self._scopes = Scopes(operations=operations)

    async def active(self, owner_id: str, key_id: str) -> ActiveKey:
        return ActiveKey(Principal(owner_id, key_id, scopes=self._scopes), b"")


@pytest.mark.parametrize("risk", [Risk.READ, Risk.ACT, Risk.CHECK])
async def test_a_key_that_may_not_use_a_tool_is_asked_nothing_and_does_nothing(risk: Risk) -> None:
    acting = Acting(risk)
    kept = replace(acting.tool, operation=Operation.DESKTOP)
    fixture = LoopFixture(
        called(("act", {"what": "a"})),
        said("I may not."),
        tools=(kept,),
        overrides={"supervisor": {"approval": "risky", "tools": ["act"]}},
        keys=_Keys("chat"),
    )
    claimed = asked(key_id="k")
    assert text_of(await fixture.ending(claimed)) == "I may not."
    assert acting.done == []
    ((_, told, success),) = fixture.results(claimed)
    assert not success
    assert "may not use the operation desktop" in told


@pytest.mark.parametrize(("operations", "done"), [(("chat", "desktop:never"), 1), (("chat",), 0)])
async def test_a_key_that_may_loosen_no_more_has_people_asked_again(
    operations: tuple[str, ...], done: int
) -> None:
    acting = Acting()
    fixture = LoopFixture(
        *(called(("act", {"what": "a"})), said("I acted.")),
        tools=(acting.tool,),
        overrides={"supervisor": {"approval": "always", "tools": ["act"]}},
        keys=_Keys(*operations),
    )
    claimed = asked(key_id="k", loosened_to=ApprovalPolicy.NEVER)
    if done:
        assert text_of(await fixture.ending(claimed)) == "I acted."
    else:
        await suspended(fixture, claimed)
    assert len(acting.done) == done
