"""An action that is cancelled or takes too long ends early, and lets everything go."""

import asyncio
from collections.abc import Sequence
from threading import Event
from uuid import UUID

import pytest

from cartrita.adapters.desktop.host import hands as module
from cartrita.adapters.desktop.host.driving import Input, KeyInput
from cartrita.adapters.desktop.host.gate import Gate
from cartrita.adapters.desktop.host.hands import Eyes, Hands
from cartrita.domain.desktop import (
    Action,
    Done,
    HoldKey,
    Move,
    Point,
    Press,
    Release,
    Shot,
    Type,
)
from cartrita.domain.desktop_errors import ActionRefused, DesktopGone
from cartrita.domain.desktop_hands import Impossible
from cartrita.domain.desktop_stillness import NO_STILLNESS, Stillness
from cartrita.domain.errors import DeadlineExceeded, Unavailable
from cartrita.domain.ids import RunId
from cartrita.kit.ids import uuid7

LONG = 600.0
SHOT = Shot(b"png", 1, 1, Point(0, 0))
MOVE = Move(Point(1, 1))
BLINKS = 3
RUN, OTHER = RunId(uuid7()), RunId(uuid7())


class Scripted:
    """A driver whose long texts end when they are stopped, unless it is stubborn."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.stubborn = stubborn
        self.begun = Event()
        self.free = Event()
        self.calls: list[str] = []
        self.typed: str | None = None
        self.fails: Exception | None = None

    def act(self, action: Action, typed: str | None, stop: Event) -> Done:
        self.calls.append("act")
        self.typed = typed
        self.begun.set()
        if isinstance(action, HoldKey):
            raise ActionRefused("There is no such key.")
        (self.free if self.stubborn else stop).wait(LONG if isinstance(action, Type) else 0)
        self.calls.append("acted")
        return Done(before=SHOT, after=SHOT, seconds=0.0)

    def is_unchanged(self, digest: str, still: Stillness) -> bool:
        self.free.wait(LONG if self.stubborn else 0)
        self.calls.append(digest)
        return still.focus or len(self.calls) > BLINKS

    def check(self, action: Action, typed: str | None) -> None:
        unknown = isinstance(action, Type) and action.secret is not None and typed is None
        if unknown or isinstance(action, HoldKey):
            raise ActionRefused("It cannot be done.")

    def enter(self, told: Sequence[Input]) -> None:
        self.calls.append("enter")
        self.begun.set()
        self.free.wait(LONG if self.stubborn else 0)
        self.calls.append("entered")

    def look(self) -> Shot:
        self.calls.append("look")
        self.free.wait(LONG if self.stubborn else 0)
        return SHOT

    def let_go(self) -> None:
        self.calls.append("let go")
        if self.fails is not None:
            raise self.fails


def never() -> None:
    raise AssertionError("the display was given up")


async def test_what_is_held_is_known_by_who_pressed_it() -> None:
    driver = Scripted()
    hands = Hands(driver, LONG, never)
    await hands.act(MOVE, RUN)
    assert hands.held_by is None
    await hands.act(Press(), RUN)
    await hands.act(MOVE, OTHER)
    assert hands.held_by == RUN
    assert (hands.holds_for(RUN), hands.holds_for(OTHER), hands.holds_for(None)) == (
        True,
        False,
        True,
    )
    await hands.release()
    assert not hands.holds_for(None)
    assert (hands.held_by, driver.calls.count("let go")) == (None, 1)


async def test_what_is_done_is_told() -> None:
    driver = Scripted()
    assert (await Hands(driver, LONG, never).act(MOVE)).after == SHOT
    assert driver.calls == ["act", "acted"]


async def test_what_the_driver_refuses_is_refused() -> None:
    with pytest.raises(ActionRefused, match="no such key"):
        await Hands(Scripted(), LONG, never).act(HoldKey(("x",), 1.0))


async def test_what_is_refused_leaves_no_button_down() -> None:
    driver = Scripted()
    hands = Hands(driver, LONG, never)
    await hands.act(Press())
    await hands.act(Press("right"))
    await hands.act(Release())
    assert hands.held == {"right"}
    with pytest.raises(ActionRefused):
        await hands.act(HoldKey(("x",), 1.0))
    assert hands.held == frozenset()
    await hands.act(Press())
    await hands.release()
    assert hands.held == frozenset()
    assert driver.calls.count("let go") == 2


def test_what_cannot_be_done_is_known_before_anything_is() -> None:
    driver = Scripted()
    hands = Hands(driver, LONG, never)
    hands.keep({"PIN": "12"}, RUN)
    assert hands.refused((MOVE, Type(secret="PIN")), RUN) is None
    refused = Impossible(2, "It cannot be done.")
    assert hands.refused((MOVE, Type(secret="OTHER"), HoldKey(("x",), 1.0)), RUN) == refused
    assert hands.refused((MOVE, Type(secret="PIN")), OTHER) == refused
    assert driver.calls == []


async def test_what_a_person_does_comes_before_what_is_asked_for_later() -> None:
    driver = Scripted(stubborn=True)
    hands = Hands(driver, LONG, never)
    gate = Gate(hands.let_go)
    await gate.take("ann", LONG)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hands.enter((KeyInput(0xFFE1, down=True),)))
        await asyncio.to_thread(driver.begun.wait)
        gate.hand_back("ann")
        tasks.create_task(gate.act(lambda: hands.act(MOVE)))
        await asyncio.sleep(0)
        driver.free.set()
    assert driver.calls == ["let go", "enter", "entered", "let go", "act", "acted"]


async def test_a_secret_is_typed_for_as_long_as_it_is_known() -> None:
    driver = Scripted(stubborn=True)
    driver.free.set()
    hands = Hands(driver, LONG, never)
    hands.keep({"PIN": "12"}, RUN)
    await hands.act(Type(secret="PIN"), RUN)
    assert driver.typed == "12"
    hands.keep({"OTHER": "3"}, RUN)
    await hands.act(Type(secret="PIN"), RUN)
    assert driver.typed is None


async def test_a_secret_that_another_run_is_given_meanwhile_is_not_typed() -> None:
    driver = Scripted(stubborn=True)
    driver.free.set()
    hands = Hands(driver, LONG, never)

    class Compared(UUID):
        """A run whose secrets are replaced while it is found out whether they are its own."""

        def __eq__(self, other: object) -> bool:
            hands.keep({"PIN": "another's"}, OTHER)
            return super().__eq__(other)

        __hash__ = UUID.__hash__

    run_id = RunId(Compared(RUN.hex))
    hands.keep({"PIN": "12"}, run_id)
    await hands.act(Type(secret="PIN"), run_id)
    assert driver.typed == "12"


@pytest.mark.parametrize("kept_for", [RUN, None])
async def test_a_secret_is_typed_for_its_run_alone(kept_for: RunId | None) -> None:
    driver = Scripted(stubborn=True)
    driver.free.set()
    hands = Hands(driver, LONG, never)
    hands.keep({"PIN": "12"}, kept_for)
    for run_id in (OTHER, None):
        await hands.act(Type(secret="PIN"), run_id)
        assert driver.typed is None


async def test_a_cancelled_one_ends_before_its_caller_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GRACE_S", LONG)
    driver = Scripted()
    hands = Hands(driver, LONG, never)
    async with asyncio.TaskGroup() as tasks:
        acting = tasks.create_task(hands.act(Type("a long text")))
        await asyncio.to_thread(driver.begun.wait)
        acting.cancel()
    assert driver.calls[:2] == ["act", "acted"]
    await hands.act(MOVE)
    assert driver.calls == ["act", "acted", "let go", "act", "acted"]


async def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE_S", LONG)
    driver = Scripted()
    hands = Hands(driver, 0.01, never)
    with pytest.raises(DeadlineExceeded):
        await hands.act(Type("a long text"))
    await Hands(driver, LONG, never).act(MOVE)
    assert driver.calls[:2] == ["act", "acted"]


async def test_a_driver_that_does_not_end_has_lost_its_display(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GRACE_S", 0.01)
    lost: list[str] = []
    driver = Scripted(stubborn=True)
    hands = Hands(driver, 0.01, lambda: lost.append("lost"))
    try:
        with pytest.raises(DeadlineExceeded):
            await hands.act(Type("a long text"))
        assert lost == ["lost"]
    finally:
        driver.free.set()


async def test_a_display_that_lets_nothing_go_in_time_is_lost() -> None:
    driver, lost = Scripted(stubborn=True), list[str]()
    hands = Hands(driver, 0.01, lambda: lost.append("lost"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hands.enter(()))
        await asyncio.to_thread(driver.begun.wait, LONG)
        try:
            with pytest.raises(DesktopGone):
                await hands.release()
            assert lost == ["lost"]
        finally:
            driver.free.set()


async def test_one_on_which_that_fails_is_lost_too() -> None:
    driver, lost = Scripted(), list[str]()
    driver.fails = ValueError("The server says no.")
    with pytest.raises(DesktopGone):
        await Hands(driver, LONG, lambda: lost.append("lost")).release()
    assert lost == ["lost"]


async def test_nobody_needs_to_wait_for_it_to_be_lost() -> None:
    driver = Scripted()
    driver.fails = ValueError("The server says no.")
    lost = asyncio.Event()
    await Gate(Hands(driver, LONG, lost.set).let_go).take("ann", LONG)
    await lost.wait()


async def test_eyes_that_see_nothing_in_time_say_so() -> None:
    driver = Scripted(stubborn=True)
    try:
        with pytest.raises(Unavailable):
            await Eyes(driver, 0.01).look()
    finally:
        driver.free.set()
    assert await Eyes(driver, LONG).look() == SHOT


async def test_who_looks_while_a_look_is_in_hand_sees_what_it_shows() -> None:
    driver = Scripted(stubborn=True)
    eyes = Eyes(driver, LONG)
    async with asyncio.TaskGroup() as tasks:
        looks = [tasks.create_task(eyes.look()) for _ in range(300)]
        await asyncio.sleep(0)  # all have begun
        looks[0].cancel()
        driver.free.set()
    assert [look.result() for look in looks[1:]] == [SHOT] * 299
    assert driver.calls == ["look"]
    await eyes.look()
    assert driver.calls == ["look", "look"]


async def test_a_display_that_does_not_tell_whether_it_changed_is_gone() -> None:
    driver = Scripted(stubborn=True)
    try:
        with pytest.raises(DesktopGone):
            await Hands(driver, 0.01, never).is_unchanged("a", NO_STILLNESS)
    finally:
        driver.free.set()
    assert await Hands(driver, LONG, never).is_unchanged("a", Stillness(focus=True))


async def test_what_blinks_is_waited_for_and_what_has_changed_is_not_for_long() -> None:
    driver = Scripted()
    assert not await Hands(driver, LONG, never, blink_s=0).is_unchanged("a", NO_STILLNESS)
    assert driver.calls == ["a"]
    assert await Hands(driver, LONG, never, blink_s=LONG).is_unchanged("a", NO_STILLNESS)
    assert len(driver.calls) == BLINKS + 1
