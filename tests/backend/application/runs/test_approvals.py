"""Who waits for a run is told of what it waits for now; who may decide on what it asks."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from msgspec.structs import replace
from tests.backend.application.fakes import BEGIN, FakeRunPorts, run
from tests.backend.application.runs_fixture import ANN, RunsFixture

from cartrita.agents.tool_approvals import asked_event
from cartrita.application.runs.approvals import RunApprovals, Waiting
from cartrita.domain.approvals import Approval, Decision, Verdict
from cartrita.domain.errors import Forbidden
from cartrita.domain.events import LoggedEvent, TextAppended
from cartrita.domain.ids import RunId
from cartrita.domain.ports.approvals import ApprovalStore
from cartrita.domain.runs import Run
from cartrita.domain.scopes import Scopes
from cartrita.domain.step_places import StepPlace
from cartrita.kit import ids
from cartrita.kit.ids import uuid7
from cartrita.surfaces.run_ends import until_end

RUN = run()


def approval(place: str) -> Approval:
    return Approval(
        id=uuid7(),
        run_id=RUN.id,
        owner_id="ann",
        place=StepPlace.parse(place),
        call_id="c",
        agent="supervisor",
        tool="act",
        arguments={},
        arguments_hash="h",
        expires_at=BEGIN,
    )


FIRST, SECOND = approval("1.1"), approval("2.1")
LOG = [
    LoggedEvent(RUN.id, 1, asked_event(FIRST, None)),
    LoggedEvent(RUN.id, 2, TextAppended("Between.", 0)),
    LoggedEvent(RUN.id, 3, asked_event(SECOND, None)),
]


class Waits:
    """The store of a run that waits for this one, and the verdicts that it was told."""

    def __init__(self, asked: Approval = SECOND) -> None:
        self.asked = asked
        self.told: list[Verdict] = []

    async def waiting(self, owner_id: str, run_id: RunId) -> list[Approval]:
        return [self.asked]

    async def decide(
        self, owner_id: str, run_id: RunId, verdicts: Sequence[Verdict], key_id: str | None
    ) -> Run:
        self.told += verdicts
        return RUN


class Services:
    """Those that a tail needs."""

    def __init__(self) -> None:
        self.runs = RunsFixture(ports=FakeRunPorts(RUN, tells=LOG)).runs
        self.approvals = RunApprovals(cast("ApprovalStore", Waits()), self.runs)


async def test_a_reader_from_the_beginning_sees_all_up_to_the_wait() -> None:
    services: Any = Services()
    async with until_end(services, ANN, RUN) as tail:
        items = [item async for item in tail]
    assert items == [RUN, *LOG, Waiting((SECOND,))]


async def test_what_was_decided_is_not_waited_for() -> None:
    approvals = Services().approvals
    assert await approvals.wait(ANN, RUN.id) == Waiting((SECOND,))


@pytest.mark.parametrize("tool", ["computer", "ask_for_hand_over", "act"])
async def test_who_may_not_use_desktops_does_not_decide_on_what_is_done_there(tool: str) -> None:
    asked = replace(FIRST, tool=tool)
    store, runs = Waits(asked), Services().runs
    approvals = RunApprovals(cast("ApprovalStore", store), runs)
    chats = replace(ANN, scopes=Scopes(operations=("chat",)))
    verdict = Verdict(asked.id, Decision.APPROVED, "h")
    if tool != "act":
        for decision in Decision:
            with pytest.raises(Forbidden) as refused:
                await approvals.decide_all(chats, RUN.id, [replace(verdict, decision=decision)])
            assert refused.value.code == "scope_operation"
        with pytest.raises(Forbidden):
            await approvals.decide(
                chats, ids.public("run", RUN.id), ids.public("appr", asked.id), *verdict_of(verdict)
            )
        assert store.told == []
        chats = replace(ANN, scopes=Scopes(operations=("chat", "desktop")))
    await approvals.decide_all(chats, RUN.id, [verdict])
    assert store.told == [verdict]


def verdict_of(verdict: Verdict) -> tuple[Decision, str]:
    return verdict.decision, verdict.arguments_hash
