"""Tasks that are refused leave nothing behind, and change nothing for those that run."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.desktops import desktop_sessions
from cartrita.application.desktop.tasks import ComputerTask, ComputerTasks
from cartrita.domain.errors import Conflict, DesktopGone
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret


class Runs:
    """Admits so many; it remembers which were cancelled."""

    def __init__(self, admitted: int) -> None:
        self.left = admitted
        self.admitted: list[Any] = []
        self.cancelled: list[str] = []

    async def start(self, *_: object) -> object:
        if not self.left:
            raise Conflict("It is busy.", code="conversation_busy")
        self.left -= 1
        self.admitted.append(SimpleNamespace(run_id=uuid7()))
        return self.admitted[-1]

    async def cancel(self, _principal: object, run: str) -> None:
        self.cancelled.append(run)


class Conversations:
    """Nothing runs in any of them, as it seems to two requests at once."""

    async def unfinished_runs(self, *_: object) -> list[object]:
        await asyncio.sleep(0)
        return []


class Gateway:
    """Knows nothing of its models."""

    async def choose(self, *_: object) -> object:
        return SimpleNamespace(deployment=SimpleNamespace(model="m"))

    def profile(self, _: object) -> object:
        return SimpleNamespace(known=False, capabilities=())


def tasks(desk: DeskFixture, runs: Runs) -> ComputerTasks:
    given: tuple[Any, ...] = (desk.sessions, runs, None, Conversations(), Gateway(), None, None)
    return ComputerTasks(*given)


def task(session_id: str | None = None, **secrets: str) -> ComputerTask:
    kept = {name: Secret(value) for name, value in secrets.items()}
    return ComputerTask(text="Do it.", session_id=session_id, provider="p", secrets=kept)


async def test_a_task_that_cannot_begin_removes_the_desktop_that_it_made(pool: Database) -> None:
    desk = DeskFixture(pool)
    for _ in range(3):  # more than an owner may have
        with pytest.raises(Conflict) as refused:
            await tasks(desk, Runs(0)).start(PRINCIPAL, task())
        assert refused.value.code == "conversation_busy"
    assert desk.screens.running == {}
    assert len(desk.screens.stopped) == 3
    for table in (conversations, desktop_sessions):
        async with pool.use() as connection:
            assert (await connection.execute(select(table))).all() == []


async def test_a_refused_task_leaves_a_desktop_that_was_there_as_it_is(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    runs = Runs(1)
    begun = tasks(desk, runs)
    both = (task(session.public_id, PIN="right"), task(session.public_id, PIN="other"))
    first, second = await asyncio.gather(
        *(begun.start(PRINCIPAL, one) for one in both), return_exceptions=True
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, Conflict)
    assert desk.screen(session).secrets == {"PIN": "right"}
    assert runs.cancelled == []


async def test_a_task_whose_secrets_cannot_be_kept_is_cancelled(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    runs = Runs(1)

    async def gone(_: object) -> None:
        raise DesktopGone.ended()

    cast("Any", desk.screen(session)).keep = gone
    with pytest.raises(DesktopGone):
        await tasks(desk, runs).start(PRINCIPAL, task(session.public_id, PIN="1"))
    assert len(runs.admitted) == len(runs.cancelled) == 1
