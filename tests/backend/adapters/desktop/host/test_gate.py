"""Agents act one after the other, and not at all while a person has the control."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cartrita.adapters.desktop.host.gate import Gate
from cartrita.domain.desktop import ControlChange
from cartrita.domain.desktop_errors import ActionRefused, Controlled, ScreenChanged

LONG = 600.0


class Work:
    """Work that is begun, and done when it is told."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.running = 0
        self.most = 0
        self.done = 0

    async def __call__(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        self.begun.set()
        await self.may_end.wait()
        self.running -= 1
        self.done += 1


@pytest.fixture
def let_go() -> list[str]:
    return []


@pytest.fixture
def gate(let_go: list[str]) -> Gate:
    return Gate(lambda: let_go.append("let go"))


async def at_once() -> str:
    return "done"


async def blocked(waiting: Awaitable[object]) -> None:
    """Return when everything that can go on without what is waited for has."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_action_at_a_time(gate: Gate) -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(gate.act(work))
        await work.begun.wait()
        work.may_end.set()
    assert (work.done, work.most) == (5, 1)


async def test_who_takes_it_waits_for_the_action_in_hand_and_then_all_is_refused(
    gate: Gate,
) -> None:
    work, second = Work(), Work()
    async with asyncio.TaskGroup() as tasks:
        acting = tasks.create_task(gate.act(work))
        await work.begun.wait()
        queued = tasks.create_task(_refused(gate, second))
        taking = tasks.create_task(gate.take("ann", LONG))
        await blocked(taking)
        assert not taking.done()
        assert gate.holder is None
        await _refused(gate, second)  # while it is waited for
        work.may_end.set()
        await taking
        assert acting.done()
        await queued
    assert gate.holder == "ann"
    await _refused(gate, second)
    assert (work.done, second.done) == (1, 0)
    assert not second.begun.is_set()


async def _refused(gate: Gate, work: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(Controlled, match="A person is using the desktop"):
        await gate.act(work)


async def test_handed_back_agents_act_again_and_nothing_is_held(
    gate: Gate, let_go: list[str]
) -> None:
    assert await gate.take("ann", LONG) == ControlChange(1, changed=True)
    assert await gate.take("ann", LONG) == ControlChange(2, changed=False)
    assert let_go == ["let go"], "what an agent held is not the person's"
    assert gate.hand_back("ann") == ControlChange(3, changed=True)
    assert let_go == ["let go"] * 2
    assert (await gate.act(at_once))[0] == "done"
    assert gate.hand_back("ann") == ControlChange(4, changed=False), "it has ended already"
    assert let_go == ["let go"] * 2


async def test_two_persons_do_not_have_it_together(gate: Gate) -> None:
    await gate.take("ann", LONG)
    with pytest.raises(Controlled, match="Another person"):
        await gate.take("bob", LONG)
    with pytest.raises(Controlled, match="Another person"):
        gate.hand_back("bob")
    assert gate.holder == "ann"


async def test_of_two_who_wait_for_it_the_first_has_it(gate: Gate) -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(gate.act(work))
        await work.begun.wait()
        tasks.create_task(gate.take("ann", LONG))
        await asyncio.sleep(0)
        with pytest.raises(Controlled, match="Another person"):
            await gate.take("bob", LONG)
        work.may_end.set()
    assert gate.holder == "ann"


async def test_who_gives_up_waiting_leaves_it_to_agents(gate: Gate) -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(gate.act(work))
        await work.begun.wait()
        taking = tasks.create_task(gate.take("ann", LONG))
        await asyncio.sleep(0)
        taking.cancel()
        work.may_end.set()
    assert gate.holder is None
    assert (await gate.act(at_once))[0] == "done"


def at_the_second(event: asyncio.Event) -> Callable[[], None]:
    """Sets it when it is called again: that all is let go when it is taken is the first."""
    calls: list[str] = []

    def called() -> None:
        calls.append("let go")
        if len(calls) == 2:
            event.set()

    return called


async def test_it_ends_by_itself_when_it_is_not_taken_again(gate: Gate, let_go: list[str]) -> None:
    ended = asyncio.Event()
    short = Gate(at_the_second(ended))
    await short.take("ann", 0.01)
    async with asyncio.timeout(60):
        await ended.wait()
    assert short.holder is None
    assert (await short.act(at_once))[0] == "done"


async def test_taken_again_it_lasts_longer(gate: Gate, let_go: list[str]) -> None:
    others = asyncio.Event()
    await gate.take("ann", 0.02)
    await gate.take("ann", LONG)
    other = Gate(at_the_second(others))  # whose time is over after the first one's would have been
    await other.take("bob", 0.05)
    async with asyncio.timeout(60):
        await others.wait()
    assert (gate.holder, let_go) == ("ann", ["let go"])


async def test_what_is_done_on_a_screen_that_was_not_seen_is_refused(gate: Gate) -> None:
    _, first = await gate.look(at_once)
    _, second = await gate.act(at_once, first)
    assert await gate.look(at_once) == ("done", second), "to look changes nothing"
    with pytest.raises(ScreenChanged):
        await gate.act(at_once, first)
    await gate.take("ann", LONG)
    await gate.take("ann", LONG)
    gate.hand_back("ann")
    with pytest.raises(ScreenChanged):
        await gate.act(at_once, second)
    _, third = await gate.look(at_once)
    with pytest.raises(ActionRefused):
        await gate.act(broken, third)
    with pytest.raises(ScreenChanged):
        await gate.act(at_once, third)


async def broken() -> None:
    raise ActionRefused("Nobody knows.")
