"""What a person approved of is done to what the person was shown, and to nothing else."""

import pytest
from tests.backend.application.desktop.desk_fixture import DeskFixture
from tests.backend.application.desktop.test_agent_desktops import HERE, approved

from cartrita.adapters.persistence.database import Database
from cartrita.application.desktop.call_checks import compared_before
from cartrita.domain.desktop import (
    Action,
    CursorPosition,
    HoldKey,
    Key,
    Move,
    Point,
    Screenshot,
    Scroll,
    Type,
    Wait,
)
from cartrita.domain.desktop_errors import ActionBrokeOff, ActionRefused, DesktopGone
from cartrita.domain.errors import Unavailable
from cartrita.domain.step_places import StepPlace
from cartrita.kit.secret import Secret
from cartrita.tools.tool import AgentStuck

MOVE = Move(Point(7, 7))
RETURN, SECRET = Key(("Return",)), Type(secret="PIN")


@pytest.mark.parametrize("actions", [(HERE,), (MOVE,), (Screenshot(), HERE), (CursorPosition(),)])
async def test_nobody_is_asked_about_what_an_agent_wants_that_has_seen_nothing(
    pool: Database, actions: tuple[Action, ...]
) -> None:
    desk = DeskFixture(pool)
    conversation = await desk.conversation()

    async def refused(by: DeskFixture) -> None:
        with pytest.raises(ActionRefused, match="Take a screenshot, in a turn of its own"):
            await by.shown(conversation, *actions)

    await refused(desk)
    assert await desk.shown(conversation, Screenshot()) is None, "it is asked about, to begin with"
    assert await desk.shown(conversation) is None, "a person can be asked for a hand-over"
    await desk.do(conversation, Screenshot())
    assert await desk.shown(conversation, *actions) is not None
    other = desk.another_worker()
    await refused(other)
    await other.do(conversation, Screenshot())
    assert await other.shown(conversation, *actions) is not None


async def test_nobody_is_asked_about_a_click_on_a_desktop_that_is_not_there(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    desk.screen(session).gone = True
    with pytest.raises(ActionRefused, match="The desktop has ended"):
        await desk.shown(session.conversation_id, HERE)
    with pytest.raises(DesktopGone):
        await desk.shown(session.conversation_id, Screenshot())


async def test_what_another_agent_has_seen_since_is_not_what_was_approved(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    shown = await desk.shown(session.conversation_id, HERE)
    desk.screen(session).show_something_else()
    await desk.do(session.conversation_id, Screenshot(), place=StepPlace((5, 1, 1, 1)))
    outcome = await desk.do(session.conversation_id, HERE, approval=approved(desk, shown))
    assert not outcome.success
    assert HERE not in desk.screen(session).done


@pytest.mark.parametrize("action", [RETURN, Type("ls\n"), HoldKey(("space",), 0.1)])
async def test_keys_go_to_the_window_that_had_the_focus_when_they_were_approved(
    pool: Database, action: Action
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    shown = await desk.shown(conversation, action)
    screen.show_a_window()
    elsewhere = await desk.do(conversation, action, approval=approved(desk, shown))
    assert not elsewhere.success
    assert elsewhere.text.startswith("Nothing was done. The screen may have changed")
    assert action not in screen.done
    shown = await desk.shown(conversation, action)
    screen.show_something_else()
    assert (await desk.do(conversation, action, approval=approved(desk, shown))).success


async def test_a_secret_is_typed_on_the_screen_that_was_shown(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await screen.keep({"PIN": Secret("1234")}, desk.run_id)
    await desk.do(conversation, Screenshot())
    shown = await desk.shown(conversation, SECRET)
    screen.show_something_else()
    changed = await desk.do(conversation, SECRET, approval=approved(desk, shown))
    assert not changed.success
    assert screen.typed == []
    shown = await desk.shown(conversation, SECRET)
    assert (await desk.do(conversation, SECRET, approval=approved(desk, shown))).success
    assert screen.typed == ["1234"]


@pytest.mark.parametrize("before", [HERE, Scroll(down=1), RETURN, Type("ann\t"), SECRET])
async def test_nobody_is_asked_about_a_secret_behind_what_changes_the_screen(
    pool: Database, before: Action
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await screen.keep({"PIN": Secret("1234")}, desk.run_id)
    await desk.do(conversation, Screenshot())
    behind = Screenshot(), before, Screenshot(), SECRET, RETURN
    with pytest.raises(ActionRefused, match="nothing but looks and moves of the pointer may come"):
        await desk.shown(conversation, *behind)
    of_before = approved(desk, await desk.shown(conversation, HERE))
    refused = await desk.do(conversation, *behind, approval=of_before)
    assert refused.text.startswith("Nothing was done. A secret is typed only on the screen that")
    assert (screen.typed, screen.done) == ([], [Screenshot()] * 2)
    assert (await desk.do(conversation, *behind)).success, "nobody was shown anything"


@pytest.mark.parametrize("changes_after", [None, Screenshot(), MOVE, CursorPosition()])
async def test_a_secret_behind_looks_is_compared_right_before_it_is_typed(
    pool: Database, monkeypatch: pytest.MonkeyPatch, changes_after: Action | None
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await screen.keep({"PIN": Secret("1234")}, desk.run_id)
    await desk.do(conversation, Screenshot())
    actions = Screenshot(), MOVE, CursorPosition(), SECRET, RETURN
    approval = approved(desk, await desk.shown(conversation, *actions))
    film = desk.films.done

    async def changing(*given: object) -> object:
        filmed = await film(*given)  # pyright: ignore[reportArgumentType]
        if screen.done[-1] == changes_after and len(screen.done) > 1:
            screen.show_something_else()
        return filmed

    monkeypatch.setattr(desk.films, "done", changing)
    outcome = await desk.do(conversation, *actions, approval=approval)
    assert outcome.success is (changes_after is None)
    assert screen.typed == (["1234"] if changes_after is None else [])


@pytest.mark.parametrize("last", [Type("ls\n"), SECRET])
async def test_a_look_within_a_call_is_not_what_was_approved(
    pool: Database, monkeypatch: pytest.MonkeyPatch, last: Type
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await screen.keep({"PIN": Secret("1234")}, desk.run_id)
    await desk.do(conversation, Screenshot())
    actions = Screenshot(), last
    shown, begin = await desk.shown(conversation, *actions), desk.films.begin

    async def changing(*given: object) -> object:
        monkeypatch.undo()
        screen.take_the_focus()
        return await begin(*given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(desk.films, "begin", changing)
    outcome = await desk.do(conversation, *actions, approval=approved(desk, shown))
    assert outcome.text.startswith("Action 1 was done. Action 2 of 2 was not done. The screen may")
    assert screen.typed == []
    assert await desk.shown(conversation, *actions) != shown, "it is shown what is there now"
    again = approved(desk, await desk.shown(conversation, *actions))
    assert (await desk.do(conversation, *actions, approval=again)).success


async def test_keys_on_a_screen_that_changes_by_itself_are_given_up(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())

    async def too_late() -> str:
        shown = await desk.shown(conversation, RETURN)
        screen.show_a_window()
        return (await desk.do(conversation, RETURN, approval=approved(desk, shown))).text

    assert "changes by itself" not in await too_late()
    assert "ask a person to take the desktop over" in await too_late()
    with pytest.raises(AgentStuck, match="changed 3 times in a row"):
        await too_late()


@pytest.mark.parametrize(
    "actions", [(Screenshot(), HERE), (MOVE, SECRET), (MOVE, Screenshot(), HERE)]
)
async def test_what_changes_again_and_again_within_its_call_is_given_up(
    pool: Database, monkeypatch: pytest.MonkeyPatch, actions: tuple[Action, ...]
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await screen.keep({"PIN": Secret("1234")}, desk.run_id)
    await desk.do(conversation, Screenshot())
    begin = desk.films.begin

    async def changing(*given: object) -> object:
        screen.show_something_else()
        return await begin(*given)  # pyright: ignore[reportArgumentType]

    async def decided(*, moves: bool = True) -> str:
        approval = approved(desk, await desk.shown(conversation, *actions))
        with monkeypatch.context() as patched:
            if moves:
                patched.setattr(desk.films, "begin", changing)
            outcome = await desk.do(conversation, *actions, approval=approval)
        assert outcome.success is not moves
        return outcome.text

    assert "changes by itself" not in await decided()
    await decided(moves=False)
    assert "changes by itself" not in await decided(), "it was done meanwhile"
    assert "changes by itself" in await decided()
    with pytest.raises(AgentStuck, match="changed 3 times in a row"):
        await decided()


@pytest.mark.parametrize(
    ("actions", "compared"),
    [
        ((HERE,), {1}),
        ((MOVE, HERE), {1}),
        ((Wait(), HERE), {1, 2}),
        ((Wait(), Screenshot(), MOVE, HERE), {1, 3}),
        ((MOVE, Wait(), HERE), {1, 3}),
        ((Wait(), MOVE, Wait(), MOVE, Wait(), RETURN), {1, 2, 4, 6}),
        ((MOVE, SECRET), {1, 2}),
        ((Wait(), SECRET, RETURN), {1, 2}),
        ((HERE, Wait(), HERE), {1}),
        ((MOVE, Wait()), {1}),
    ],
)
def test_it_is_compared_after_what_takes_time_up_to_the_first_that_changes_it(
    actions: tuple[Action, ...], compared: set[int]
) -> None:
    assert compared_before(actions) == compared


async def test_what_changes_between_a_move_of_the_pointer_and_a_click_is_not_pressed(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    actions = MOVE, CursorPosition(), HERE
    approval = approved(desk, await desk.shown(conversation, *actions))
    film = desk.films.done

    async def changing(*given: object) -> object:
        filmed = await film(*given)  # pyright: ignore[reportArgumentType]
        if screen.done[-1] == CursorPosition():
            screen.show_something_else()
        return filmed

    monkeypatch.setattr(desk.films, "done", changing)
    outcome = await desk.do(conversation, *actions, approval=approval)
    assert outcome.text.startswith("Actions 1 to 2 were done. Action 3 of 3 was not done. The scr")
    assert HERE not in screen.done


async def test_comparing_that_breaks_off_did_nothing(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await desk.do(conversation, Screenshot())
    actions = Screenshot(), HERE
    approval = approved(desk, await desk.shown(conversation, *actions))
    compare = screen.is_unchanged

    async def once(*given: object) -> bool:
        if len(screen.done) > 1:
            raise ActionBrokeOff("The desktop failed at this.")
        return await compare(*given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(screen, "is_unchanged", once)
    with pytest.raises(Unavailable) as failed:
        await desk.do(conversation, *actions, approval=approval)
    assert failed.value.message.startswith("Action 1 was done. Action 2 of 2 was not done. The de")
    assert HERE not in screen.done
