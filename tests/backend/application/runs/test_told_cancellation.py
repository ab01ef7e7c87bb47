"""Tools are told of the end of a run that is cancelled while nobody works on it."""

import asyncio
from typing import cast

import pytest
from msgspec.structs import replace
from tests.backend.agents.acting_fixture import Acting
from tests.backend.application.fakes import FakeRunPorts, run

from cartrita.application.runs import told_cancellation
from cartrita.application.runs.told_cancellation import ToldCancellation
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ports.runs import RunReader
from cartrita.domain.runs import RunStatus
from cartrita.tools.toolbox import Toolbox


class Unfinished:
    """What reads runs, of which these have not ended."""

    def __init__(self, *runs: RunId) -> None:
        self._runs = list(runs)

    async def active(self, *_: object) -> list[RunId]:
        return self._runs


@pytest.mark.parametrize(
    ("status", "others", "told"),
    [
        (RunStatus.CANCELLED, False, True),
        (RunStatus.CANCELLED, True, False),
        (RunStatus.RUNNING, False, False),
    ],
)
async def test_tools_are_told_where_nothing_else_is_done_in_the_conversation(
    status: RunStatus, *, others: bool, told: bool
) -> None:
    over: list[ConversationId] = []

    async def note(conversation_id: ConversationId) -> None:
        over.append(conversation_id)

    there = run(status=status)
    ports, reader = FakeRunPorts(there), Unfinished(*([run().id] if others else []))
    tools = Toolbox((replace(Acting().tool, over=note),))
    cancellation = ToldCancellation(ports, cast("RunReader", reader), tools)
    assert await cancellation.cancel("ann", there.id) == there
    assert ports.cancelled == [there.id]
    assert over == ([there.conversation_id] if told else [])


async def test_a_tool_that_does_not_hear_of_it_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(told_cancellation, "_TELL_S", 0.01)

    async def hang(_: ConversationId) -> None:
        await asyncio.Event().wait()

    there = run(status=RunStatus.CANCELLED)
    tools = Toolbox((replace(Acting().tool, over=hang),))
    reader = cast("RunReader", Unfinished())
    async with asyncio.timeout(60):
        assert await ToldCancellation(FakeRunPorts(there), reader, tools).cancel("ann", there.id)
