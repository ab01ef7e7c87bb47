"""An agent does nothing blind, and what it did is not told as failed."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture
from tests.backend.application.desktop.test_agent_desktops import HERE, OUTSIDE, approved

from cartrita.adapters.persistence.database import Database
from cartrita.domain.approvals import Decision
from cartrita.domain.desktop import (
    Action,
    Click,
    Done,
    Move,
    Point,
    Press,
    Release,
    Screenshot,
    Wait,
)
from cartrita.domain.desktop_errors import ActionBrokeOff, ActionRefused, DesktopGone, ScreenChanged
from cartrita.domain.desktop_films import NOT_FILMED
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ports.desktop_use import DesktopOutcome
from cartrita.kit.ids import uuid7
from cartrita.tools.tool import AgentStuck

THERE = Click(Point(9, 9))


async def test_an_action_that_broke_off_in_another_worker_is_followed_by_a_look(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    other, session = desk.another_worker(), await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    await other.do(session.conversation_id, Screenshot())  # the run goes on there after a wait
    screen, shown = desk.screen(session), await other.shown(session.conversation_id, HERE)
    screen.fails = ActionBrokeOff("It took too long.")
    with pytest.raises(ActionBrokeOff):
        await other.do(session.conversation_id, HERE)
    screen.fails = None
    with pytest.raises(ActionRefused):
        await other.shown(session.conversation_id, HERE)
    blind = await desk.do(session.conversation_id, HERE, approval=approved(desk, shown))
    assert not blind.success
    assert screen.done == [Screenshot(), Screenshot(), HERE, Screenshot()]
    assert (await desk.do(session.conversation_id, HERE)).success


async def test_a_person_who_had_the_desktop_between_two_actions_of_a_call_ends_it(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    film = desk.films.done

    async def meanwhile(*given: object) -> object:
        filmed = await film(*given)  # pyright: ignore[reportArgumentType]
        monkeypatch.undo()
        await desk.leases.take(PRINCIPAL, session.public_id)
        await desk.leases.release(PRINCIPAL, session.public_id)
        return filmed

    monkeypatch.setattr(desk.films, "done", meanwhile)
    outcome = await desk.do(session.conversation_id, HERE, Move(Point(1, 1)), THERE)
    assert (outcome.success, len(outcome.pictures)) == (False, 1)
    assert outcome.text.startswith("Action 1 was done. Action 2 of 3 was not done, nor those after")
    assert "may have changed" in outcome.text
    assert desk.screen(session).done == [Screenshot(), HERE, Screenshot()]
    assert (await desk.do(session.conversation_id, THERE)).success


@pytest.mark.parametrize("before", [(), (Screenshot(),)])
async def test_a_refused_action_is_not_told_as_one_that_broke_off_where_the_look_after_it_does(
    pool: Database, monkeypatch: pytest.MonkeyPatch, before: tuple[Screenshot, ...]
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    act = screen.act

    async def later(action: Action, *given: Any) -> Done:
        if action == HERE:
            screen.fails = ActionBrokeOff("It took too long.")
            raise ScreenChanged.unseen()
        return await act(action, *given)

    monkeypatch.setattr(screen, "act", later)
    outcome = await desk.do(conversation, *before, HERE)
    told = "Action 1 was done. Action 2 of 2 was not done." if before else "Nothing was done."
    assert (outcome.success, outcome.pictures) == (False, ()), "no older one is shown for it"
    assert outcome.text == (
        f"{told} The screen may have changed since you saw it. How it looks now could not be "
        "shown: It took too long. Take a screenshot."
    )
    assert screen.done.count(HERE) == 0


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("refused", [False, True])
async def test_a_desktop_that_is_gone_when_it_is_looked_at_is_told_of_as_that(
    pool: Database, monkeypatch: pytest.MonkeyPatch, *, refused: bool, early: bool
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    act = screen.act

    async def changed(action: Action, *given: Any) -> Done:
        if action == HERE:
            screen.gone, screen.ends = early, True
            screen.fails = ActionBrokeOff("It ended before it could tell.")
            raise ActionRefused("No.") if refused else ScreenChanged.unseen()
        return await act(action, *given)

    monkeypatch.setattr(screen, "act", changed)
    with pytest.raises(DesktopGone) as gone:
        await desk.do(conversation, Move(Point(1, 1)), HERE)
    assert gone.value.message.startswith("Action 1 was done. Action 2 of 2 was not done. The desk")
    assert session.id not in desk.screens.running


async def test_who_is_not_shown_the_screen_is_told_to_look_only_where_that_may_help(
    pool: Database,
) -> None:
    desk = DeskFixture(pool, most=1)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    shown = await desk.shown(conversation, HERE)
    screen.show_something_else()
    full = await desk.do(conversation, HERE, approval=approved(desk, shown))
    assert "How it looks now could not be shown: The film" in full.text
    assert "Take a screenshot" not in full.text


async def test_what_was_approved_in_one_worker_is_done_in_another(pool: Database) -> None:
    desk = DeskFixture(pool)
    other, session = desk.another_worker(), await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    shown = await desk.shown(session.conversation_id, HERE)
    assert (await other.do(session.conversation_id, HERE, approval=approved(desk, shown))).success
    again = await other.do(session.conversation_id, THERE, approval=approved(desk, shown))
    assert not again.success, "the screen is another than the person was shown"


@pytest.mark.parametrize("decision", [Decision.DENIED, None])
async def test_what_was_shown_of_a_call_that_was_not_approved_is_no_sight(
    pool: Database, decision: Decision | None
) -> None:
    desk = DeskFixture(pool)
    other, session = desk.another_worker(), await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    shown = await desk.shown(session.conversation_id, HERE)
    denied = replace(approved(desk, shown), decision=decision)
    assert not (await other.do(session.conversation_id, HERE, approval=denied)).success
    assert HERE not in desk.screen(session).done


async def test_a_person_is_shown_the_screen_that_the_agent_has_seen_also_by_a_refusal(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    screen.show_something_else()
    refused = await desk.do(conversation, Move(Point(5, 900)))  # nobody is asked about that
    shown = await desk.shown(conversation, HERE)
    assert shown is not None
    assert refused.pictures == (shown.file_id,)
    kinds = [kind for kind, _ in await desk.film(session)]
    assert kinds == ["agent screenshot", "agent move", "agent screenshot"]
    assert (await desk.do(conversation, HERE, approval=approved(desk, shown))).success


async def test_a_person_is_shown_no_picture_that_the_agent_has_not_seen(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    assert await desk.shown(conversation, HERE) is not None
    screen.show_something_else()
    await desk.do(conversation, Screenshot(), run_id=RunId(uuid7()))
    with pytest.raises(ActionRefused, match="Take a screenshot, in a turn of its own"):
        await desk.shown(conversation, HERE)
    assert await desk.shown(conversation, Move(Point(1, 1))) is None, "it is compared with nothing"
    seen = await desk.do(conversation, Screenshot())
    shown = await desk.shown(conversation, HERE)
    assert shown is not None
    assert seen.pictures == (shown.file_id,)
    await desk.files.delete(PRINCIPAL, shown.file_id)
    with pytest.raises(ActionRefused):
        await desk.shown(conversation, HERE)


async def test_what_nobody_can_be_shown_does_not_count_as_what_changes_by_itself(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    for _ in range(3):
        screen.show_something_else()
        await desk.do(conversation, Screenshot(), run_id=RunId(uuid7()))
        with pytest.raises(ActionRefused):
            await desk.shown(conversation, HERE)
        without = await desk.do(conversation, HERE, approval=approved(desk, None))
        assert "changes by itself" not in without.text
    shown = await desk.shown(conversation, HERE)
    screen.show_something_else()
    late = await desk.do(conversation, HERE, approval=approved(desk, shown))
    assert "changes by itself" not in late.text, "it is the first time"
    assert HERE not in screen.done


@pytest.mark.parametrize("of_old", [False, True])
async def test_what_was_approved_without_a_picture_or_by_one_that_is_not_known_is_not_done(
    pool: Database, *, of_old: bool
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation = session.conversation_id
    await desk.do(conversation, Screenshot())
    shown = await desk.shown(conversation, HERE)
    assert shown is not None
    without = replace(shown, digest="") if of_old else None
    stale = await desk.do(conversation, HERE, approval=approved(desk, without))
    assert "may have changed" in stale.text
    assert HERE not in desk.screen(session).done
    shown = await desk.shown(conversation, HERE)
    assert (await desk.do(conversation, HERE, approval=approved(desk, shown))).success
    frames = await desk.films.page(PRINCIPAL, session.public_id)
    told = [(one.action["type"], one.approved_by) for one in frames]
    assert told == [("screenshot", None), ("screenshot", None), ("click", "k7")]


@pytest.mark.parametrize("action", [Press(), Release(), Click()])
async def test_what_is_pressed_or_let_go_at_the_pointer_is_not_done_where_that_has_changed(
    pool: Database, action: Press | Release | Click
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    shown = await desk.shown(session.conversation_id, action)
    desk.screen(session).show_something_else()
    outcome = await desk.do(session.conversation_id, action, approval=approved(desk, shown))
    assert not outcome.success
    assert action not in desk.screen(session).done


async def test_what_changes_while_an_approved_call_only_looks_is_not_pressed(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    film = desk.films.done

    async def changing(*given: object) -> object:
        filmed = await film(*given)  # pyright: ignore[reportArgumentType]
        screen.show_something_else()
        return filmed

    async def done(*actions: Screenshot | Move | Click) -> DesktopOutcome:
        approval = approved(desk, await desk.shown(conversation, *actions))
        with monkeypatch.context() as patched:
            patched.setattr(desk.films, "done", changing)
            return await desk.do(conversation, *actions, approval=approval)

    outcome = await done(Screenshot(), Move(Point(1, 1)), HERE)
    assert outcome.text.startswith("Action 1 was done. Action 2 of 3 was not done, nor those after")
    assert screen.done == [Screenshot()] * 3
    await desk.do(conversation, Screenshot())
    assert (await done(HERE, Screenshot(), THERE)).success, "the agent itself may have changed it"


async def test_a_place_that_changes_whenever_a_person_decides_on_it_is_given_up(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())

    async def decided(action: Click, *, moves: bool = True) -> str:
        shown = await desk.shown(conversation, action)
        if moves:
            screen.show_something_else()
        outcome = await desk.do(conversation, action, approval=approved(desk, shown))
        assert outcome.success is not moves
        return outcome.text

    assert "changes by itself" not in await decided(HERE)
    assert "use the keyboard, or another place" in await decided(Click(Point(20, 20)))
    assert "changes by itself" not in await decided(Click(Point(300, 200))), "it is another place"
    await decided(Click(Point(300, 200)), moves=False)
    assert "changes by itself" not in await decided(Click(Point(300, 200)))
    assert "changes by itself" in await decided(Click(Point(300, 200)))
    with pytest.raises(AgentStuck, match="changed 3 times in a row"):
        await decided(Click(Point(300, 200)))
    assert screen.done.count(HERE) == 0


async def test_what_a_worker_died_over_was_seen_by_nobody(pool: Database) -> None:
    desk = DeskFixture(pool)
    other, session = desk.another_worker(), await desk.started()
    for worker in (desk, other):
        await worker.do(session.conversation_id, Screenshot())
    await desk.do(session.conversation_id, HERE)  # and what came of it is told to nobody
    assert not (await other.do(session.conversation_id, THERE)).success
    assert THERE not in desk.screen(session).done


async def test_a_picture_that_was_deleted_is_stored_again(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    seen = await desk.do(session.conversation_id, Screenshot())
    await desk.files.delete(PRINCIPAL, seen.pictures[0])
    done = await desk.do(session.conversation_id, HERE)
    assert (done.success, done.text, len(done.pictures)) == (True, "Done.", 1)
    assert desk.screen(session).done == [Screenshot(), HERE]
    assert await desk.film(session) == [("agent screenshot", None), ("agent click", None)]


async def test_what_is_done_is_told_as_done_also_after_an_error_of_ours(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())

    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(desk.pictures, "part", breaks)
    outcome = await desk.do(session.conversation_id, HERE, THERE)
    assert outcome.text.startswith("Action 1 of 2 was done; those after it were not.")
    assert "Do not do it again" in outcome.text
    assert (await desk.film(session))[1:] == [("agent click", NOT_FILMED)]
    with pytest.raises(Unavailable, match="failed inside the server"):
        await desk.do(session.conversation_id, Screenshot())
    assert desk.screen(session).done == [Screenshot(), HERE, Screenshot()]


async def test_a_call_that_ends_early_leaves_no_button_down(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    left = iter((1.0, 0.0))
    for refused in (
        desk.do(conversation, OUTSIDE),
        desk.do(conversation, Move(Point(1, 1)), OUTSIDE),
        desk.do(conversation, Move(Point(1, 1)), THERE, left=lambda: next(left)),
    ):
        assert (await desk.do(conversation, Press())).success
        assert (screen.held, desk.use.held(desk.run_id)) == ({"left"}, {"left"})
        outcome = await refused
        assert not outcome.success
        assert outcome.text.endswith("The button that was held down was let go.")
        assert (screen.held, desk.use.held(desk.run_id)) == (frozenset(), frozenset())
    assert not (await desk.do(conversation, OUTSIDE)).text.endswith("let go.")


@pytest.mark.parametrize("actions", [(Release(),), (Move(Point(9, 9)), Release())])
async def test_a_button_that_is_not_let_go_where_the_screen_has_changed_stays_down(
    pool: Database, actions: tuple[Move | Release, ...]
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    assert (await desk.do(conversation, Press())).success
    shown, before = await desk.shown(conversation, *actions), screen.times_let_go
    screen.show_something_else()
    refused = await desk.do(conversation, *actions, approval=approved(desk, shown))
    assert refused.text.startswith("Nothing was done. The screen may have changed")
    assert "is still down, and nothing was dropped" in refused.text
    assert (screen.times_let_go, len(refused.pictures)) == (before, 1)
    assert (screen.held, desk.use.held(desk.run_id)) == ({"left"}, {"left"})
    shown = await desk.shown(conversation, *actions)
    again = await desk.do(conversation, *actions, approval=approved(desk, shown))
    assert (again.success, screen.held) == (True, frozenset()), again.text
    assert screen.times_let_go == before


async def test_a_button_that_was_let_go_by_a_look_that_broke_off_is_not_told_to_be_down(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Press())
    shown = await desk.shown(conversation, Release())
    screen.show_something_else()
    screen.fails = ActionBrokeOff("It took too long.")
    refused = await desk.do(conversation, Release(), approval=approved(desk, shown))
    assert refused.text.endswith("Take a screenshot. The button that was held down was let go.")
    assert (screen.held, desk.use.held(desk.run_id)) == (frozenset(), frozenset())


async def test_a_run_that_ends_and_a_call_that_is_cancelled_leave_no_button_down(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Press())
    await desk.use.let_go(conversation, desk.run_id)
    assert (screen.held, desk.use.held(desk.run_id)) == (frozenset(), frozenset())
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Press())
    working = asyncio.ensure_future(desk.do(conversation, Wait(20.0)))
    await screen.hangs.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (screen.held, desk.use.held(desk.run_id)) == (frozenset(), frozenset())


async def test_a_run_that_ends_in_another_worker_leaves_no_button_down(pool: Database) -> None:
    desk = DeskFixture(pool)
    other, session = desk.another_worker(), await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Press())
    await other.use.let_go(ConversationId(uuid7()), desk.run_id)
    assert screen.held == {"left"}, "the run of another conversation has ended"
    await other.use.let_go(conversation, desk.run_id)
    assert screen.held == frozenset()
    await desk.leases.take(PRINCIPAL, session.public_id)
    await other.use.let_go(conversation, desk.run_id)
    screen.gone = True
    await other.use.let_go(conversation, desk.run_id)


async def test_a_button_that_is_down_is_known_in_the_worker_that_goes_on(pool: Database) -> None:
    desk = DeskFixture(pool)
    other, session = desk.another_worker(), await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Press())
    shown = await desk.shown(conversation, Move(Point(1, 1)))
    moved = await other.do(conversation, Move(Point(1, 1)), approval=approved(desk, shown))
    assert moved.success
    assert other.use.held(desk.run_id) == {"left"}
    await desk.do(conversation, Screenshot(), run_id=RunId(uuid7()))
    assert screen.held == frozenset(), "it is not the next agent's"
