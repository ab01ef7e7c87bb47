"""What a model has not seen when it orders several calls at once does not count for these."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
from msgspec.structs import replace
from tests.backend.application.desktop.desk_fixture import LIMITS, PRINCIPAL, DeskFixture
from tests.backend.application.desktop.test_agent_desktops import HERE

from cartrita.adapters.persistence.database import Database
from cartrita.application.desktop.hand_overs import DesktopHandOvers
from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    DesktopSession,
    Move,
    Point,
    Screenshot,
    Scroll,
    Type,
    Zoom,
)
from cartrita.domain.desktop_errors import ActionBrokeOff, ActionRefused, ScreenChanged
from cartrita.domain.files import FileQuota
from cartrita.domain.step_places import WHOLE_RUN, StepPlace

TASK = StepPlace((1, 1))
CLOSELY = Zoom(Area(0, 0, 9, 9))


async def turn(
    desk: DeskFixture, session: DesktopSession, step: StepPlace, *actions: Action
) -> list[bool]:
    """What became of calls that a model has ordered at once."""
    return [
        (await desk.do(session.conversation_id, action, place=step.call(number))).success
        for number, action in enumerate(actions, 1)
    ]


async def hand_back(desk: DeskFixture, session: DesktopSession) -> None:
    """A person has used it."""
    await desk.leases.take(PRINCIPAL, session.public_id)
    desk.screen(session).show_something_else()
    await desk.leases.release(PRINCIPAL, session.public_id)


async def hand_back_as_it_was(desk: DeskFixture, session: DesktopSession) -> None:
    """A person has had it, and nothing looks different."""
    await desk.leases.take(PRINCIPAL, session.public_id)
    await desk.leases.release(PRINCIPAL, session.public_id)


async def offer(desk: DeskFixture, session: DesktopSession) -> None:
    """A person was asked to use it, and did not."""
    hand_overs = DesktopHandOvers(desk.sessions, desk.films, desk.memory)
    await hand_overs.last_user(session.conversation_id)


async def break_off(desk: DeskFixture, session: DesktopSession) -> None:
    """An action of the agent has no end."""
    screen = desk.screen(session)
    screen.fails = ActionBrokeOff("It took too long.")
    with pytest.raises(ActionBrokeOff):
        await desk.do(session.conversation_id, HERE, place=StepPlace((2, 1)))
    screen.fails = None


async def act_unfilmed(desk: DeskFixture, session: DesktopSession) -> None:
    """Of an action of the agent there is no picture."""
    quota, desk.pictures._quota = desk.pictures._quota, FileQuota(1, 1)
    told = await desk.do(session.conversation_id, HERE, place=StepPlace((2, 1)))
    assert "could not be stored" in told.text
    desk.pictures._quota = quota


async def act_beside(desk: DeskFixture, session: DesktopSession) -> None:
    """Another agent of the run has used it."""
    assert await turn(desk, session, TASK.step(1), Screenshot()) == [True]
    assert await turn(desk, session, TASK.step(2), Type("beside it")) == [True]


BETWEEN = [hand_back, hand_back_as_it_was, offer, break_off, act_unfilmed, act_beside]


@pytest.mark.parametrize("between", BETWEEN)
async def test_what_was_ordered_before_the_screen_was_seen_is_not_done(
    pool: Database, between: Callable[[DeskFixture, DesktopSession], Awaitable[None]]
) -> None:
    desk = DeskFixture(pool, actions=replace(LIMITS, looks_max=9))
    session = await desk.started()
    screen = desk.screen(session)
    assert await turn(desk, session, WHOLE_RUN.step(1), Screenshot()) == [True]
    await between(desk, session)
    done = screen.done.copy()
    step = WHOLE_RUN.step(3)
    assert await turn(desk, session, step, Screenshot(), CLOSELY) == [True, True]
    blind = await desk.do(session.conversation_id, Type("hello world"), place=step.call(3))
    assert (blind.success, len(blind.pictures)) == (False, 1)
    unseen = ScreenChanged.unseen().message
    assert blind.text == f"Nothing was done. {unseen} This is how it looks now."
    assert screen.done == [*done, Screenshot(), CLOSELY, Screenshot()]
    assert await turn(desk, session, WHOLE_RUN.step(4), Type("hello world")) == [True]


async def test_what_an_agent_has_seen_and_made_itself_counts_at_once(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    calls = Screenshot(), HERE, Screenshot(), Click(), Type("hello world")
    assert await turn(desk, session, TASK.step(1), *calls[:2]) == [True, False]
    assert await turn(desk, session, TASK.step(2), *calls) == [True] * 5
    assert await turn(desk, session, TASK.step(3), *calls) == [True] * 5


async def test_nobody_is_asked_about_what_was_ordered_before_the_screen_was_seen(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    conversation, step = session.conversation_id, WHOLE_RUN.step(2)
    await turn(desk, session, WHOLE_RUN.step(1), Screenshot())
    await hand_back(desk, session)
    await turn(desk, session, step, Screenshot())

    async def asked(place: StepPlace, action: Action) -> bool:
        return await desk.use.shown(conversation, desk.run_id, place, [action]) is not None

    with pytest.raises(ActionRefused, match="in a turn of its own"):
        await asked(step.call(2), HERE)
    assert await asked(step.call(2), CLOSELY)
    assert await asked(WHOLE_RUN.step(3).call(1), HERE)


@pytest.mark.parametrize("between", BETWEEN)
async def test_nobody_is_asked_about_what_the_desktop_will_refuse(
    pool: Database, between: Callable[[DeskFixture, DesktopSession], Awaitable[None]]
) -> None:
    desk = DeskFixture(pool, actions=replace(LIMITS, looks_max=9))
    session = await desk.started()
    conversation, screen = session.conversation_id, desk.screen(session)
    await turn(desk, session, WHOLE_RUN.step(1), Screenshot())
    await between(desk, session)
    done = screen.done.copy()
    calls = (HERE,), (Move(Point(1, 1)),), (Screenshot(), Scroll(down=1, keys=("ctrl",)))

    async def asked(step: StepPlace, actions: Sequence[Action]) -> None:
        await desk.use.shown(conversation, desk.run_id, step.call(1), actions)

    for actions in calls:
        with pytest.raises(ActionRefused, match="in a turn of its own"):
            await asked(WHOLE_RUN.step(3), actions)
    await asked(WHOLE_RUN.step(3), (Screenshot(), CLOSELY))
    await asked(WHOLE_RUN.step(3), ())
    assert screen.done == done
    await turn(desk, session, WHOLE_RUN.step(3), Screenshot())
    for actions in calls:
        await asked(WHOLE_RUN.step(4), actions)
