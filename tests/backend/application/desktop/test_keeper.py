"""Who looks after desktops lets go of what nobody else does, and ends those that stand still."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture
from tests.backend.application.fakes import until
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.desktops import desktop_sessions
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.application.desktop import keeper as module
from cartrita.domain.desktop import DesktopId, Press, Screenshot
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import RunId
from cartrita.kit import clock
from cartrita.kit.ids import uuid7
from cartrita.surfaces.tasks import background_tasks


@pytest.mark.parametrize("goes_on", ["queued", "running", "waiting"])
async def test_what_a_run_holds_is_let_go_where_it_has_ended_elsewhere(
    goes_on: str, pool: Database, database: TemporaryDatabase
) -> None:
    desk = DeskFixture(pool)
    conversation = await stored_conversation(pool)
    [message] = await stored_branch(pool, conversation, "Drag it.")
    session = await desk.sessions.start(ANN, conversation.id)
    desk.run_id = RunId(await stored_run(database.dsn, conversation, message.id, status=goes_on))
    await desk.do(conversation.id, Screenshot())
    await desk.do(conversation.id, Press())
    survivor, screen = desk.another_worker(), desk.screen(session)
    await survivor.keeper.look()
    assert screen.held == {"left"}, "it wants that as it is"
    async with pool.use() as connection:  # as the reaper ends it, or a key that is not there
        await connection.execute(update(runs).values(status="interrupted"))
    await survivor.keeper.look()
    assert screen.held == frozenset()
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).alive


async def test_where_it_is_not_known_what_was_lost_the_others_are_looked_after(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    held = await desk.started()
    await desk.do(held.conversation_id, Screenshot())
    await desk.do(held.conversation_id, Press())

    async def fail() -> None:
        raise OSError("Too many open files")

    monkeypatch.setattr(desk.sessions, "lost", fail)
    await desk.keeper.look()
    assert desk.screen(held).held == frozenset()


async def test_one_that_does_not_tell_what_is_held_keeps_nobody_from_the_others(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    silent, held = await desk.started(), await desk.started()
    await desk.do(held.conversation_id, Screenshot())
    await desk.do(held.conversation_id, Press())

    async def fail() -> None:
        raise Unavailable("It does not answer.")

    monkeypatch.setattr(desk.screen(silent), "held_by", fail)
    await desk.keeper.look()
    assert desk.screen(held).held == frozenset()


async def test_one_that_stands_still_is_ended_by_who_looks_after_it_alone(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    dead = False

    async def fail(_: object) -> None:
        raise Unavailable("It does not answer in time.", code="desktop_unavailable")

    async def is_dead(_: object) -> bool:
        return dead

    monkeypatch.setattr(desk.screens, "find", fail)
    monkeypatch.setattr(desk.screens, "is_dead", is_dead)
    with pytest.raises(Unavailable):
        await desk.do(session.conversation_id, Screenshot())
    await desk.keeper.look()
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).alive
    dead = True
    await desk.keeper.look()
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).reason == "It died."
    assert desk.screens.stopped == [session.id]


@pytest.mark.parametrize("frozen", [0, 1])
async def test_one_that_is_frozen_holds_up_none_of_the_others(
    frozen: int, pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    both = [await desk.started(), await desk.started()]
    silent = both.pop(frozen)
    other = both.pop()
    await desk.do(other.conversation_id, Screenshot())
    await desk.do(other.conversation_id, Press())
    asked: list[DesktopId] = []

    async def is_dead(desktop_id: DesktopId) -> bool:
        asked.append(desktop_id)
        if desktop_id == silent.id:
            await asyncio.Event().wait()
        return False

    monkeypatch.setattr(desk.screens, "is_dead", is_dead)
    monkeypatch.setattr(desk.keeper, "_interval_s", 0.01)
    screen = desk.screen(other)
    async with asyncio.timeout(60), background_tasks() as tasks:
        tasks.start_soon(desk.keeper.run)
        await until(lambda: not screen.held and asked.count(other.id) > 1)
        async with pool.use() as connection:
            over = {"expires_at": clock.now() - timedelta(days=1)}
            which = desktop_sessions.c.id == other.id
            await connection.execute(update(desktop_sessions).where(which).values(over))
        await until(lambda: desk.screens.stopped == [other.id])
    assert asked.count(silent.id) == 1, "it is not looked at twice at once"


async def test_one_that_does_not_let_go_in_time_is_not_waited_for(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    await desk.do(session.conversation_id, Press())
    screen = desk.screen(session)

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as hanging:
        hanging.setattr(module, "_LET_GO_S", 0.01)
        hanging.setattr(screen, "let_go", hang)
        async with asyncio.timeout(60):
            await desk.keeper.look()
    assert screen.held == {"left"}
    await desk.keeper.look()
    assert screen.held == frozenset()


async def test_one_that_has_just_told_that_it_runs_is_not_asked_that_again(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    await desk.do(session.conversation_id, Press())

    async def runs_here(_: object) -> bool:
        return False

    async def fail(_: object) -> None:
        raise Unavailable("It was asked again.")

    monkeypatch.setattr(desk.screens, "is_dead", runs_here)
    monkeypatch.setattr(desk.screens, "find", fail)
    await desk.keeper.look()
    assert desk.screen(session).held == frozenset()


async def test_what_a_run_held_is_not_told_to_the_next_one(pool: Database) -> None:
    desk = DeskFixture(pool)
    session, before = await desk.started(), desk.run_id
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Press())
    await desk.keeper.look()
    assert screen.held == frozenset(), "nobody knows of such a run"
    desk.run_id = RunId(uuid7())
    assert desk.use.held(desk.run_id) == frozenset()
    assert "let go" not in (await desk.do(conversation, Screenshot())).text
    assert desk.use.held(before) == frozenset()


async def test_a_run_that_ended_long_ago_lets_go_of_nothing_that_another_holds(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session, before = await desk.started(), desk.run_id
    conversation, screen = session.conversation_id, desk.screen(session)
    desk.run_id = RunId(uuid7())
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Press())
    for use in (desk.use, desk.another_worker().use):
        await use.let_go(conversation, before)
        assert (screen.held, desk.use.held(desk.run_id)) == ({"left"}, {"left"})
