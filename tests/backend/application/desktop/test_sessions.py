"""Sessions of desktops: how many there are, how they end, and what of them goes with what."""

import asyncio
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from msgspec.structs import replace
from sqlalchemy import Table, func, select, update
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture
from tests.backend.application.desktop.screens import Screen
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, BOB, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.desktops import desktop_frames, desktop_sessions
from cartrita.adapters.persistence.tables.files import attachments
from cartrita.domain.desktop import DesktopId, DesktopSpec, DesktopStatus, Screenshot
from cartrita.domain.desktop_errors import DesktopGone, DesktopStarting
from cartrita.domain.errors import Conflict, Forbidden, NotFound, RateLimited, Unavailable
from cartrita.domain.ids import ConversationId
from cartrita.domain.ports.desktop_sessions import DesktopLimits
from cartrita.domain.principals import Principal
from cartrita.kit import clock
from cartrita.kit.ids import uuid7


async def counted(pool: Database, table: Table) -> int:
    async with pool.use() as connection:
        found = await connection.execute(select(func.count()).select_from(table))
        return found.scalar_one()


async def test_a_conversation_has_one_desktop_at_a_time(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    assert (session.status, session.alive) == (DesktopStatus.READY, True)
    with pytest.raises(Conflict) as refused:
        await desk.sessions.start(ANN, session.conversation_id)
    assert refused.value.code == "desktop_exists"
    await desk.sessions.end(session, "It was enough.")
    again = await desk.sessions.start(ANN, session.conversation_id)
    assert again.id != session.id
    ended = await desk.sessions.get(PRINCIPAL, session.public_id)
    assert (ended.status, ended.reason) == (DesktopStatus.STOPPED, "It was enough.")
    assert session.id in desk.screens.stopped


async def test_owners_and_machines_have_limits(pool: Database) -> None:
    desk = DeskFixture(pool, limits=DesktopLimits(machine=2, owner=1))
    session = await desk.started()
    with pytest.raises(RateLimited, match="You have 1 desktops") as refused:
        await desk.started()
    assert refused.value.code == "desktop_limit"
    theirs = (await stored_conversation(pool, BOB)).id
    await desk.sessions.start(BOB, theirs)
    others = (await stored_conversation(pool, "carol")).id
    with pytest.raises(RateLimited, match="The server runs 2"):
        await desk.sessions.start("carol", others)
    await desk.sessions.end(session, "x")
    await desk.sessions.start("carol", others)


async def test_a_large_screen_is_told_as_it_is_shown(pool: Database) -> None:
    desk = DeskFixture(pool)
    plan = desk.sessions._plan
    desk.sessions._plan = replace(plan, spec=replace(plan.spec, width=2560, height=1600))
    assert desk.sessions.size == (1356, 847)
    session = await desk.started()
    assert (session.width, session.height) == (1356, 847)
    assert desk.screen(session).spec.width == 2560


async def test_one_that_does_not_start_leaves_nothing_that_runs(pool: Database) -> None:
    desk = DeskFixture(pool)
    desk.screens.fails = True
    conversation = await desk.conversation()
    with pytest.raises(Unavailable):
        await desk.sessions.start(ANN, conversation)
    assert await desk.sessions.of_conversation(conversation) is None
    [failed] = (await desk.sessions.list(PRINCIPAL)).items
    assert (failed.status, failed.reason) == (DesktopStatus.FAILED, "It did not start.")
    assert desk.screens.stopped == [failed.id]
    assert not await desk.sessions.is_begun(failed)


async def test_a_refused_start_leaves_no_conversation(pool: Database) -> None:
    desk = DeskFixture(pool, limits=DesktopLimits(machine=4, owner=0))
    with pytest.raises(RateLimited):
        await desk.sessions.create(PRINCIPAL, None)
    dead = DeskFixture(pool)
    dead.screens.fails = True
    with pytest.raises(Unavailable):
        await dead.sessions.create(PRINCIPAL, None)
    assert await counted(pool, conversations) == 0
    assert dead.screens.running == {}


async def test_what_is_missing_is_told_before_anything_is_stored(pool: Database) -> None:
    desk = DeskFixture(pool)
    desk.screens.missing = ("apt-get install xvfb",)
    with pytest.raises(Unavailable, match="apt-get install xvfb") as refused:
        await desk.sessions.create(PRINCIPAL, None)
    assert refused.value.code == "desktop_unavailable"
    assert (await desk.sessions.list(PRINCIPAL)).items == []
    desk.sessions._desktops = None
    with pytest.raises(Forbidden, match="CARTRITA_DESKTOP_ENABLED") as off:
        await desk.sessions.create(PRINCIPAL, None)
    assert off.value.code == "desktop_disabled"


async def test_conversations_and_desktops_of_others_are_not_there(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    with pytest.raises(NotFound):
        await desk.sessions.get(Principal(BOB, "key"), session.public_id)
    with pytest.raises(NotFound):
        await desk.sessions.start(BOB, session.conversation_id)
    with pytest.raises(NotFound):
        await desk.sessions.start(ANN, ConversationId(uuid7()))
    assert (await desk.sessions.list(Principal(BOB, "key"))).items == []


async def test_one_of_another_machine_is_elsewhere(pool: Database) -> None:
    session = await DeskFixture(pool).started()
    with pytest.raises(Conflict) as refused:
        await DeskFixture(pool, machine="there").sessions.opened(session)
    assert refused.value.code == "desktop_elsewhere"


async def test_those_left_where_desktops_are_off_now_are_ended(pool: Database) -> None:
    """A killed server says of none that it has ended, and the next one may have no desktops."""
    left = await DeskFixture(pool).started()
    used = await DeskFixture(pool).started()
    off = DeskFixture(pool, enabled=False)
    await off.sessions._conversations.delete(PRINCIPAL, left.public_conversation_id)
    long_ago = func.now() - timedelta(days=1)
    statement = update(desktop_sessions).where(desktop_sessions.c.id == left.id)
    async with pool.use() as connection:
        await connection.execute(statement.values(used_at=long_ago, expires_at=long_ago))
    assert await off.removal.purge() == 0
    await off.keeper.look()
    assert await off.removal.purge() == 1
    assert (await off.sessions.get(PRINCIPAL, used.public_id)).alive


async def test_those_whose_time_is_over_are_ended(pool: Database) -> None:
    idle, old = DeskFixture(pool, idle_s=0.0), DeskFixture(pool, lifetime_s=-1.0)
    unused = await idle.started()
    await idle.keeper.look()
    assert (await idle.sessions.get(PRINCIPAL, unused.public_id)).reason == (
        "Nobody used it for too long."
    )
    over = await old.started()
    await old.keeper.look()
    found = await old.sessions.get(PRINCIPAL, over.public_id)
    assert (found.status, found.reason) == (
        DesktopStatus.STOPPED,
        "It ran as long as a desktop may.",
    )
    assert over.id in old.screens.stopped
    with pytest.raises(DesktopGone, match="as long as a desktop may"):
        await old.sessions.opened(found)


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_wrong_clock_of_a_server_does_no_harm(
    hours: int, pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, now = DeskFixture(pool, lifetime_s=7200.0), datetime.now(UTC)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=hours))
    session = await desk.started()
    await desk.keeper.look()
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).alive
    lifetime = session.expires_at - session.created_at
    assert (session.used_at, lifetime) == (session.created_at, timedelta(hours=2))
    assert abs(session.created_at - now) < timedelta(hours=1)


async def test_one_that_died_is_told_of(pool: Database) -> None:
    desk = DeskFixture(pool)
    dead, alive = await desk.started(), await desk.started()
    desk.screen(dead).gone = True
    await desk.keeper.look()
    found = await desk.sessions.get(PRINCIPAL, dead.public_id)
    assert (found.status, found.reason) == (DesktopStatus.FAILED, "It died.")
    assert (await desk.sessions.get(PRINCIPAL, alive.public_id)).alive


async def test_one_that_a_worker_cannot_ask_has_not_died(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()

    async def fail(_: object) -> None:
        raise Unavailable("Too many open files.")

    monkeypatch.setattr(desk.screens, "find", fail)
    await desk.keeper.look()
    assert set(desk.screens.running) == {session.id}
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).alive


async def test_one_that_nobody_stopped_is_stopped_when_whoever_ended_it_has_had_the_time(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    lost, alive = await desk.started(), await desk.started()
    ended = update(desktop_sessions).where(desktop_sessions.c.id == lost.id)
    async with pool.use() as connection:  # as a worker leaves it that is killed meanwhile
        await connection.execute(ended.values(status="stopped", ended_at=func.now()))
    await desk.keeper.look()
    assert set(desk.screens.running) == {lost.id, alive.id}
    async with pool.use() as connection:
        await connection.execute(ended.values(ended_at=func.now() - timedelta(minutes=2)))
    await desk.keeper.look()
    assert set(desk.screens.running) == {alive.id}


async def test_ending_one_is_not_broken_off(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    with anyio.CancelScope() as caller:
        caller.cancel()
        await desk.sessions.end(session, "It was enough.")
    assert desk.screens.running == {}


async def test_one_whose_run_waits_for_a_person_is_not_idle(
    pool: Database, database: TemporaryDatabase
) -> None:
    desk = DeskFixture(pool, idle_s=0.0)
    unused = await desk.started()
    conversation = await stored_conversation(pool)
    [message] = await stored_branch(pool, conversation, "Do it.")
    waiting = await desk.sessions.start(ANN, conversation.id)
    await stored_run(database.dsn, conversation, message.id, status="waiting")
    await desk.keeper.look()
    assert set(desk.screens.running) == {waiting.id}
    assert not (await desk.sessions.get(PRINCIPAL, unused.public_id)).alive


async def test_one_that_a_person_sees_is_not_idle(pool: Database) -> None:
    desk = DeskFixture(pool, idle_s=60.0)
    unused, seen = await desk.started(), await desk.started()
    minutes_ago = desktop_sessions.c.used_at - func.make_interval(0, 0, 0, 0, 0, 2)
    async with pool.use() as connection:
        await connection.execute(update(desktop_sessions).values(used_at=minutes_ago))
    watching = asyncio.ensure_future(desk.leases.watch(seen))
    while (await desk.sessions.get(PRINCIPAL, seen.public_id)).used_at < seen.used_at:
        assert not watching.done()
    await desk.keeper.look()
    watching.cancel()
    assert set(desk.screens.running) == {seen.id}
    assert not (await desk.sessions.get(PRINCIPAL, unused.public_id)).alive


async def test_one_of_a_machine_that_is_gone_holds_no_room_once_it_is_idle(pool: Database) -> None:
    gone, here = DeskFixture(pool, machine="gone", idle_s=60.0), DeskFixture(pool)
    lost, used = await gone.started(), await gone.started()
    for_long = desktop_sessions.c.used_at - func.make_interval(0, 0, 0, 0, 0, 3)
    idle = update(desktop_sessions).where(desktop_sessions.c.id == lost.id)
    with pytest.raises(RateLimited):
        await here.started()
    async with pool.use() as connection:
        await connection.execute(idle.values(used_at=for_long))
    await here.keeper.look()
    found = await here.sessions.get(PRINCIPAL, lost.public_id)
    assert (found.alive, found.reason) == (False, "The machine that ran it is gone.")
    assert (await here.sessions.get(PRINCIPAL, used.public_id)).alive
    await here.started()


@pytest.mark.parametrize("enabled", [True, False])
async def test_one_that_its_machine_gives_longer_is_not_ended_by_others(
    pool: Database, *, enabled: bool
) -> None:
    session = await DeskFixture(pool, machine="there", idle_s=3600.0).started()
    minutes_ago = desktop_sessions.c.used_at - func.make_interval(0, 0, 0, 0, 0, 30)
    async with pool.use() as connection:
        await connection.execute(update(desktop_sessions).values(used_at=minutes_ago))
    other = DeskFixture(pool, idle_s=60.0, enabled=enabled)
    await other.keeper.look()
    assert (await other.sessions.get(PRINCIPAL, session.public_id)).alive


async def test_what_a_dead_worker_began_to_start_is_given_up(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    starting = update(desktop_sessions).values(status="starting")
    async with pool.use() as connection:
        await connection.execute(starting)
    await desk.keeper.look()
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).alive
    long_ago = desktop_sessions.c.created_at - func.make_interval(0, 0, 0, 0, 1)
    async with pool.use() as connection:
        await connection.execute(starting.values(created_at=long_ago))
    await desk.keeper.look()
    assert not (await desk.sessions.get(PRINCIPAL, session.public_id)).alive


async def test_one_that_nobody_starts_any_more_is_given_up_at_once(pool: Database) -> None:
    desk, other = DeskFixture(pool), DeskFixture(pool)
    lost, begun = await desk.started(), await desk.started()
    other.sessions._desktops = desk.screens
    del desk.screens.running[lost.id]  # its worker was killed before it had a host
    async with pool.use() as connection:
        await connection.execute(update(desktop_sessions).values(status="starting"))
    await other.keeper.look()
    assert not (await desk.sessions.get(PRINCIPAL, lost.public_id)).alive
    assert (await desk.sessions.get(PRINCIPAL, begun.public_id)).alive


async def test_one_that_a_worker_has_not_begun_with_is_not_given_up(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, other = DeskFixture(pool), DeskFixture(pool)
    other.sessions._desktops = desk.screens
    stalled = asyncio.Event()

    async def stall(*_: object) -> None:
        stalled.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(desk.screens, "start", stall)
    starting = asyncio.ensure_future(desk.started())
    await stalled.wait()
    await other.keeper.look()
    [found] = (await desk.sessions.list(PRINCIPAL)).items
    assert (found.status, desk.screens.stopped) == (DesktopStatus.STARTING, [])
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_one_is_stopped_where_its_end_cannot_be_stored(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session, conversation = await desk.started(), await desk.conversation()

    async def fail(*_: object) -> bool:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(desk.sessions._store, "settle", fail)
    with pytest.raises(Unavailable):
        await desk.sessions.end(session, "It was enough.")
    assert desk.screens.running == {}
    with pytest.raises(Unavailable):
        await desk.sessions.start(ANN, conversation)
    assert desk.screens.running == {}


async def test_a_deleted_conversation_takes_its_desktop_and_its_film_along(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    assert await counted(pool, attachments) == 1
    await desk.removal.hide(ANN, session.conversation_id)
    assert await desk.removal.purge() == 0, "while its desktop runs"
    await desk.keeper.look()
    assert session.id in desk.screens.stopped
    assert await desk.removal.purge() == 1
    await desk.file_removal.sweep()
    for table in (desktop_sessions, desktop_frames, attachments):
        assert await counted(pool, table) == 0


async def test_a_server_that_stops_says_so(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.sessions.close("The server stopped.")
    found = await desk.sessions.get(PRINCIPAL, session.public_id)
    assert (found.status, found.reason) == (DesktopStatus.STOPPED, "The server stopped.")


async def test_pages_end(pool: Database) -> None:
    desk = DeskFixture(pool)
    made = [await desk.started() for _ in range(2)]
    first = await desk.sessions.list(PRINCIPAL, limit=1)
    assert [one.id for one in first.items] == [made[1].id]
    second = await desk.sessions.list(PRINCIPAL, limit=1, cursor=first.next_cursor)
    assert ([one.id for one in second.items], second.next_cursor) == ([made[0].id], None)


async def test_one_that_starts_is_left_alone_by_agents_and_persons(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    other, conversation = desk.another_worker(), await desk.conversation()
    begun, may_end, start = asyncio.Event(), asyncio.Event(), desk.screens.start

    async def slowly(desktop_id: DesktopId, spec: DesktopSpec) -> Screen:
        begun.set()
        await may_end.wait()
        return await start(desktop_id, spec)

    monkeypatch.setattr(desk.screens, "start", slowly)
    async with asyncio.TaskGroup() as tasks:
        starting = tasks.create_task(desk.sessions.start(ANN, conversation))
        await begun.wait()
        session = await other.sessions.latest(conversation)
        for use in (
            other.do(conversation, Screenshot()),
            other.leases.take(PRINCIPAL, session.public_id),
            other.leases.screen(PRINCIPAL, session.public_id),
        ):
            with pytest.raises(DesktopStarting) as told:
                await use
            assert (told.value.code, told.value.retryable) == ("desktop_starting", True)
        may_end.set()
    assert starting.result().status is DesktopStatus.READY
    assert other.screens.stopped == []
    assert (await other.do(conversation, Screenshot())).success


async def test_what_other_workers_have_ended_is_forgotten(pool: Database) -> None:
    desk = DeskFixture(pool)
    other, ended = desk.another_worker(), await desk.started()
    running = await desk.started()
    for session in (ended, running):
        await other.do(session.conversation_id, Screenshot())
    await desk.sessions.end(ended, "It was enough.")
    assert other.memory.known == {ended.id, running.id}
    await other.keeper.look()
    assert other.memory.known == {running.id}
