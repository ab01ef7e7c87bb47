"""Who looks after desktops lets go of what nobody else does, and ends those that stand still."""

import pytest
from sqlalchemy import update
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.domain.desktop import Press, Screenshot
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import RunId


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
