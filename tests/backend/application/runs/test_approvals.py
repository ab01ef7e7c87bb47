"""Who waits for a run is told of what it waits for now, and of nothing that is decided."""

from typing import Any, cast

from tests.backend.application.fakes import BEGIN, FakeRunPorts, run
from tests.backend.application.runs_fixture import ANN, RunsFixture

from cartrita.agents.tool_approvals import asked_event
from cartrita.application.runs.approvals import RunApprovals, Waiting
from cartrita.domain.approvals import Approval
from cartrita.domain.events import LoggedEvent, TextAppended
from cartrita.domain.ids import RunId
from cartrita.domain.ports.approvals import ApprovalStore
from cartrita.domain.step_places import StepPlace
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
    """The store of a run that waits for the second."""

    async def waiting(self, owner_id: str, run_id: RunId) -> list[Approval]:
        return [SECOND]


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
