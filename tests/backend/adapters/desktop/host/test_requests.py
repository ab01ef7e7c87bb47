"""What a desktop is asked on its socket is answered, also what it does not take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.backend.adapters.desktop.host.test_hands import LONG, MOVE, SHOT, Scripted, never
from tests.backend.application.fakes import until

from cartrita.adapters.desktop.host import life
from cartrita.adapters.desktop.host.gate import Gate
from cartrita.adapters.desktop.host.hands import Eyes, Hands
from cartrita.adapters.desktop.host.reasons import FirstReason
from cartrita.adapters.desktop.host.requests import Requests
from cartrita.adapters.desktop.host.viewers import Viewers
from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import LONGEST_TYPED, MOST_ACTIONS, Press, Type
from cartrita.domain.desktop_errors import ActionRefused, ScreenChanged
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import RunId
from cartrita.kit.ids import uuid7


class Host:
    """One whose display is a script."""

    def __init__(self, folder: Path) -> None:
        self.driver = Scripted(stubborn=True)
        self.ending = FirstReason()
        self.desktop = RunningDesktop(folder)

    def requests(self, look_s: float) -> Requests:
        hands, eyes = Hands(self.driver, LONG, never), Eyes(self.driver, look_s)
        viewers = cast("Viewers", SimpleNamespace(full=True))
        self.gate = Gate(hands.let_go)
        return Requests(hands, eyes, self.gate, viewers, self.ending)


@pytest.fixture
def look_s() -> float:
    return LONG


@pytest.fixture
async def host(look_s: float, tmp_path: Path) -> AsyncIterator[Host]:
    made = Host(tmp_path)
    with closing(await life._listening(made.requests(look_s), tmp_path)):
        yield made
        made.driver.free.set()


async def test_the_longest_call_is_heard(host: Host) -> None:
    longest = Type("\x01" * LONGEST_TYPED)
    assert await host.desktop.refused([longest] * MOST_ACTIONS) is None


async def test_a_longer_one_is_refused_and_nothing_ends(host: Host) -> None:
    with pytest.raises(ActionRefused, match="more than a desktop can be told at once"):
        await host.desktop.refused([Type("\x01" * LONGEST_TYPED)] * (MOST_ACTIONS + 8))
    assert await host.desktop.answers()


async def test_it_answers_while_its_display_does_not(host: Host) -> None:
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(host.desktop.look())
        assert await host.desktop.answers()
        host.driver.free.set()
    assert looking.result() == SHOT


async def test_what_a_run_holds_is_told_and_let_go_for_it_alone(host: Host) -> None:
    host.driver.free.set()
    own, others = RunId(uuid7()), RunId(uuid7())
    assert await host.desktop.held_by() is None
    await host.desktop.act(Press(), None, own)
    assert await host.desktop.held_by() == own
    await host.desktop.let_go(others)
    assert await host.desktop.held_by() == own
    await host.desktop.let_go(own)
    assert await host.desktop.held_by() is None
    assert host.driver.calls.count("let go") == 1


async def test_who_lets_go_of_what_is_let_go_already_changes_nothing(host: Host) -> None:
    own, others = RunId(uuid7()), RunId(uuid7())
    host.driver.free.set()
    await host.desktop.act(Press(), None, own)
    host.driver.free.clear()
    async with asyncio.TaskGroup() as tasks:
        acting = tasks.create_task(host.desktop.act(Type("a long text"), None, others))
        await until(lambda: host.driver.calls.count("act") > 1)
        for _ in range(2):  # as who ends a run and who looks after all
            tasks.create_task(host.desktop.let_go(own))
        await until(lambda: len(host.gate._turn._waiters or ()) == 2)
        host.driver.free.set()
    assert host.driver.calls.count("let go") == 1
    seen = acting.result().version + 1
    assert await host.desktop.refused([MOVE], None, seen) is None, "what it saw is still there"


async def test_what_is_to_be_done_on_a_screen_that_was_not_seen_is_known_before(host: Host) -> None:
    host.driver.free.set()
    seen = (await host.desktop.act(MOVE)).version
    assert await host.desktop.refused([MOVE], None, seen) is None
    await host.desktop.act(MOVE)
    with pytest.raises(ScreenChanged):
        await host.desktop.refused([MOVE], None, seen)
    assert await host.desktop.refused([MOVE]) is None, "none is to have been seen"
    impossible = await host.desktop.refused([Type(secret="PIN")], None, seen)
    assert impossible is not None, "that is told first"
    await host.desktop.take("ann", LONG)
    with pytest.raises(ScreenChanged):
        await host.desktop.refused([MOVE], None, seen + 1)


@pytest.mark.parametrize("look_s", [0.01])
async def test_a_look_that_comes_late_ends_nothing(host: Host) -> None:
    with pytest.raises(Unavailable, match="not show its screen in time"):
        await host.desktop.look()
    assert await host.desktop.answers()
    host.ending.because("nothing else did")
    assert await host.ending.wait() == "nothing else did"
