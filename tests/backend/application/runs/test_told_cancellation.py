"""Tools are told of the end of a run that is cancelled while nobody works on it."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.backend.agents.acting_fixture import Acting
from tests.backend.application.fakes import FakeRunPorts, run

from cartrita.application.runs import told_cancellation
from cartrita.application.runs.told_cancellation import ToldCancellation
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.runs import RunStatus
from cartrita.tools.toolbox import Toolbox


@pytest.mark.parametrize(
    ("status", "told"), [(RunStatus.CANCELLED, True), (RunStatus.RUNNING, False)]
)
async def test_tools_are_told_which_run_has_ended_that_nobody_works_on(
    status: RunStatus, *, told: bool
) -> None:
    over: list[tuple[ConversationId, RunId]] = []

    async def note(conversation_id: ConversationId, run_id: RunId) -> None:
        over.append((conversation_id, run_id))

    there = run(status=status)
    ports = FakeRunPorts(there)
    tools = Toolbox((replace(Acting().tool, over=note),))
    assert await ToldCancellation(ports, tools).cancel("ann", there.id) == there
    assert ports.cancelled == [there.id]
    assert over == ([(there.conversation_id, there.id)] if told else [])


async def test_a_tool_that_does_not_hear_of_it_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(told_cancellation, "_TELL_S", 0.01)

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    there = run(status=RunStatus.CANCELLED)
    tools = Toolbox((replace(Acting().tool, over=hang),))
    async with asyncio.timeout(60):
        assert await ToldCancellation(FakeRunPorts(there), tools).cancel("ann", there.id)
