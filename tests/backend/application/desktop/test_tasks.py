"""Tasks that are refused leave nothing behind, and change nothing for those that run."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture
from tests.backend.application.desktop.screens import Screen

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.desktops import desktop_sessions
from cartrita.application.desktop import tasks as module
from cartrita.application.desktop.tasks import ComputerTask, ComputerTasks, StartedTask
from cartrita.domain.desktop import DesktopStatus, Press, Screenshot, Type
from cartrita.domain.desktop_errors import DesktopGone
from cartrita.domain.errors import Conflict, InvalidInput
from cartrita.domain.events import Event, LoggedEvent, RunStopped, StopStatus
from cartrita.domain.ids import RunId
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret


class Runs:
    """Admits so many, of agents whose models are not `refused`; remembers which were cancelled."""

    def __init__(self, admitted: int, refused: InvalidInput | None = None) -> None:
        self.left = admitted
        self.refused = refused
        self.required: list[tuple[object, ...]] = []
        self.admitted: list[Any] = []
        self.cancelled: list[str] = []

    async def start(self, *_: object) -> object:
        if not self.left:
            raise Conflict("It is busy.", code="conversation_busy")
        self.left -= 1
        self.admitted.append(SimpleNamespace(run_id=uuid7()))
        return self.admitted[-1]

    async def require(self, _principal: object, *named: object) -> None:
        self.required.append(named)
        if self.refused is not None:
            raise self.refused

    async def cancel(self, _principal: object, run: str) -> None:
        self.cancelled.append(run)


class Conversations:
    """Nothing runs in any of them, as it seems to two requests at once."""

    async def unfinished_runs(self, *_: object) -> list[object]:
        await asyncio.sleep(0)
        return []


def tasks(desk: DeskFixture, runs: object) -> ComputerTasks:
    given: tuple[Any, ...] = (runs, None, Conversations(), None, None)
    return ComputerTasks(desk.sessions, desk.films, *given)


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


async def test_for_a_model_by_which_the_agent_cannot_work_no_desktop_is_started(
    pool: Database,
) -> None:
    desk, refused = DeskFixture(pool), InvalidInput.of("model", "it is blind")
    for named in (None, "p/m"):
        runs = Runs(1, refused)
        with pytest.raises(InvalidInput, match="it is blind"):
            await tasks(desk, runs).start(PRINCIPAL, ComputerTask(text="Do it.", model=named))
        assert runs.required == [("computer_use", None, named)]
    assert desk.screens.stopped == []
    async with pool.use() as connection:
        assert (await connection.execute(select(desktop_sessions))).all() == []


async def test_a_task_is_admitted_when_nothing_of_it_can_fail_any_more(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, runs = DeskFixture(pool), Runs(1)

    async def gone(*_: object) -> None:
        raise DesktopGone.ended()

    with monkeypatch.context() as broken:
        broken.setattr(Screen, "keep", gone)
        with pytest.raises(DesktopGone):
            await tasks(desk, runs).start(PRINCIPAL, task(PIN="12"))
    assert (runs.admitted, runs.cancelled) == ([], []), "else who tries again finds it"
    begun = await tasks(desk, runs).start(PRINCIPAL, task(PIN="12"))
    assert begun.made
    screen = desk.screen(begun.session)
    assert (screen.secrets, screen.secrets_of) == ({"PIN": "12"}, begun.admitted.run_id)


async def test_secrets_are_told_to_a_desktop_when_it_is_known_which_run_types_them(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, keep = DeskFixture(pool), Screen.keep
    told: list[tuple[list[str], RunId | None]] = []

    async def note(screen: Screen, secrets: Any, run_id: RunId | None) -> None:
        told.append((list(secrets), run_id))
        await keep(screen, secrets, run_id)

    monkeypatch.setattr(Screen, "keep", note)
    begun = await tasks(desk, Runs(1)).start(PRINCIPAL, task(PIN="12"))
    assert told == [([], None), (["PIN"], begun.admitted.run_id)]


async def test_a_task_whose_secrets_are_lost_when_it_has_begun_goes_on(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, runs = DeskFixture(pool), Runs(1)
    keep = Screen.keep

    async def once(screen: Screen, secrets: Any, run_id: RunId | None) -> None:
        if run_id is not None:
            raise DesktopGone.ended()
        await keep(screen, secrets, run_id)

    monkeypatch.setattr(Screen, "keep", once)
    begun = await tasks(desk, runs).start(PRINCIPAL, task(PIN="12"))
    assert (begun.made, runs.cancelled) == (True, []), "else who tries again finds it"
    assert desk.screen(begun.session).secrets_of is None


async def test_a_task_whose_worker_dies_before_its_secrets_are_kept_has_none(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    before = await tasks(desk, Runs(1)).start(PRINCIPAL, task(PIN="old"))
    session, screen = before.session, desk.screen(before.session)
    died = asyncio.Event()

    async def die(*_: object) -> None:
        died.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as dying:
        dying.setattr(Screen, "keep", die)
        runs = Runs(1)
        starting = asyncio.create_task(
            tasks(desk, runs).start(PRINCIPAL, task(session.public_id, PIN="new"))
        )
        await died.wait()
    [admitted] = runs.admitted
    survivor = desk.another_worker()
    survivor.run_id = admitted.run_id
    await survivor.do(session.conversation_id, Screenshot())
    outcome = await survivor.do(session.conversation_id, Type(secret="PIN"))
    assert (outcome.success, screen.typed) == (False, [])
    starting.cancel()
    await asyncio.wait([starting])


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
    screen = desk.screen(session)
    assert (screen.secrets, screen.secrets_of) == ({"PIN": "right"}, first.admitted.run_id)
    assert runs.cancelled == []


async def test_a_task_whose_secrets_cannot_be_kept_is_cancelled(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    runs = Runs(1)

    async def gone(*_: object) -> None:
        raise DesktopGone.ended()

    cast("Any", desk.screen(session)).keep = gone
    with pytest.raises(DesktopGone):
        await tasks(desk, runs).start(PRINCIPAL, task(session.public_id, PIN="1"))
    assert len(runs.admitted) == len(runs.cancelled) == 1


def ended(kind: StopStatus = StopStatus.FAILED) -> RunStopped:
    return RunStopped(kind, "upstream_error", "It failed.", recoverable=True)


class Told:
    """Runs whose tail has one event."""

    def __init__(self, event: Event, at_event: Callable[[], object]) -> None:
        self._event, self._at_event = event, at_event
        self.run_id = RunId(uuid7())

    async def require(self, *_: object) -> None: ...

    async def start(self, *_: object) -> object:
        return SimpleNamespace(run_id=self.run_id)

    @asynccontextmanager
    async def tail(self, run_id: RunId, _after: int) -> AsyncGenerator[AsyncIterator[LoggedEvent]]:
        async def events() -> AsyncGenerator[LoggedEvent]:
            self._at_event()
            yield LoggedEvent(run_id, 1, self._event)

        yield events()


async def test_a_task_that_failed_before_it_did_anything_ends_the_desktop_that_it_made(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    begun = tasks(desk, Runs(1))
    started = await begun.start(PRINCIPAL, task())
    assert await begun.end_unused(PRINCIPAL, started, ended())
    found = await desk.sessions.get(PRINCIPAL, started.session.public_id)
    assert (found.status, found.reason) == (
        DesktopStatus.STOPPED,
        "Its task failed before anything was done on it.",
    )
    assert desk.screens.running == {}
    again = StartedTask(await desk.sessions.latest(found.conversation_id), started.admitted)
    assert await begun.end_unused(PRINCIPAL, again, ended()), "who sends it again is told the same"


async def test_whoever_follows_a_task_is_told_that_it_failed_when_its_desktop_has_ended(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    running: list[int] = []
    begun = tasks(desk, Told(ended(), lambda: running.append(len(desk.screens.running))))
    started = await begun.start(PRINCIPAL, task())
    async with begun.tail(PRINCIPAL, started) as items:
        running.extend([len(desk.screens.running) async for _ in items])
    assert running == [1, 0]


async def test_the_desktop_of_a_failed_task_stays_where_it_was_there_before_or_was_used(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    begun = tasks(desk, Runs(3))
    was_there = await desk.started()
    started = await begun.start(PRINCIPAL, task(was_there.public_id))
    assert not await begun.end_unused(PRINCIPAL, started, ended())
    started = await begun.start(PRINCIPAL, task())
    assert not await begun.end_unused(PRINCIPAL, started, ended(StopStatus.CANCELLED))
    await desk.do(started.session.conversation_id, Screenshot())
    assert not await begun.end_unused(PRINCIPAL, started, ended())
    assert set(desk.screens.running) == {was_there.id, started.session.id}


async def test_what_is_stopped_leaves_no_button_down(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    await desk.do(session.conversation_id, Press())
    await tasks(desk, Runs(0)).stop(PRINCIPAL, session.public_id)
    assert desk.screen(session).held == frozenset()
    desk.screen(session).gone = True
    await tasks(desk, Runs(0)).stop(PRINCIPAL, session.public_id)


async def test_a_display_that_hangs_does_not_hold_up_who_stops_what_is_done_on_it(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LET_GO_S", 0.01)
    desk = DeskFixture(pool)
    session = await desk.started()

    async def hang() -> None:
        await asyncio.Event().wait()

    cast("Any", desk.screen(session)).let_go = hang
    stopped = await tasks(desk, Runs(0)).stop(PRINCIPAL, session.public_id)
    assert stopped.alive
