"""Viewers by raw RFB: who has not the control moves nothing, and who has does."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.harness import desktop_programs
from tests.harness.desktop_worker import spec
from tests.harness.rfb import HEIGHT, WHOLE, WIDTH, RfbClient
from tests.harness.x_display import eventually, keys_down
from Xlib import XK

from cartrita.adapters.desktop.desktops import open_desktops
from cartrita.adapters.desktop.host.viewers import MOST
from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import DesktopId, DesktopIsolation, Move, Point, Screenshot, Type, Wait
from cartrita.domain.desktop_errors import Controlled
from cartrita.domain.errors import Malformed, RateLimited

pytestmark = pytest.mark.slow

LONG = 600.0
WATCHDOG_S = 180.0


@asynccontextmanager
async def viewing(desktop: RunningDesktop, holder: str) -> AsyncGenerator[RfbClient]:
    async with desktop.view(holder) as stream:
        client = RfbClient(stream)
        assert await client.greet() == (WIDTH, HEIGHT)
        yield client


async def pointer(desktop: RunningDesktop) -> Point:
    return (await desktop.look()).pointer


async def pointer_is(desktop: RunningDesktop, at: Point) -> None:
    async with asyncio.timeout(WATCHDOG_S):
        while await pointer(desktop) != at:
            continue


async def test_a_viewer_without_the_control_sees_and_moves_nothing(
    desktop: RunningDesktop,
) -> None:
    await desktop.act(Move(Point(7, 7)))
    async with viewing(desktop, "ann") as client:
        for place in range(50):
            await client.point(Point(100 + place, 100), buttons=1)
        await client.picture()
        await client.picture()
        assert await pointer(desktop) == Point(7, 7)
        await desktop.take("ann", LONG)
        await client.point(Point(300, 200))
        await pointer_is(desktop, Point(300, 200))
        await desktop.hand_back("ann")
        await client.point(Point(400, 200))
        await client.picture()
        await client.picture()
        assert await pointer(desktop) == Point(300, 200)


async def test_who_has_it_types_while_others_do_not(desktop: RunningDesktop) -> None:
    await desktop_programs.open_terminal(desktop)
    await desktop.take("ann", LONG)
    async with viewing(desktop, "bob") as other, viewing(desktop, "ann") as client:
        await other.type("touch bob\n")
        await client.type("touch ann\n")
        await asyncio.to_thread(eventually, "the file is there", made("ann"))
        with pytest.raises(Controlled):
            await desktop.act(Screenshot())
    assert not made("bob")()


def made(name: str) -> Callable[[], bool]:
    """Whether a file is in the home."""
    return (desktop_programs.home() / name).exists


async def test_keys_that_a_person_held_are_let_go_with_the_control(
    desktop: RunningDesktop,
) -> None:
    await desktop_programs.open_terminal(desktop)
    await desktop.act(Type("stty raw; dd bs=1 of=typed\n"))
    typed = desktop_programs.home() / "typed"
    await asyncio.to_thread(eventually, "keys are written down", typed.exists)
    await desktop.take("ann", LONG)
    async with viewing(desktop, "ann") as client:
        await client.say(struct.pack(">BBxxI", 4, 1, ord("a")))
        await asyncio.to_thread(eventually, "it is down", lambda: octets(typed) > 0)
        await desktop.hand_back("ann")
        async with asyncio.timeout(WATCHDOG_S):
            while await _grows(desktop, typed):  # with what was read late, but not for ever
                continue


async def _grows(desktop: RunningDesktop, typed: Path) -> bool:
    """Whether more is typed in a second, as by a key that is down: it repeats itself."""
    before = octets(typed)
    await desktop.act(Wait(1.0))
    return octets(typed) > before


def octets(path: Path) -> int:
    return path.stat().st_size


async def test_nothing_that_a_person_did_is_done_after_they_have_handed_back(
    desktop: RunningDesktop,
) -> None:
    await desktop_programs.open_terminal(desktop)
    await desktop.take("ann", LONG)
    async with viewing(desktop, "ann") as client:
        for number in range(5000):
            await client.point(Point(number % WIDTH, 100))
        await client.say(struct.pack(">BBxxI", 4, 1, XK.XK_Shift_L))
        await desktop.hand_back("ann")
        await desktop.act(Move(Point(7, 7)))
        await desktop.act(Type("touch low\n"))
        await client.picture()
        assert await pointer(desktop) == Point(7, 7)
        await asyncio.to_thread(eventually, "it is typed in small letters", made("low"))


async def test_keys_and_buttons_of_a_viewer_that_is_gone_are_up(
    folder: Path, desktop_id: DesktopId, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desktops(folder, isolation=DesktopIsolation.PLAIN) as desktops:
        desktop = await desktops.start(desktop_id, spec())
        display, cookie = desktop_programs.display()
        monkeypatch.setenv("XAUTHORITY", cookie)
        await desktop.take("ann", LONG)
        async with viewing(desktop, "ann") as client:
            await client.say(struct.pack(">BBxxI", 4, 1, XK.XK_Shift_L))
            await client.point(Point(900, 700), buttons=1)
            await asyncio.to_thread(eventually, "they are down", lambda: keys_down(display) == 2)
        await asyncio.to_thread(eventually, "they are up", lambda: keys_down(display) == 0)
        await desktops.stop(desktop_id)


@pytest.mark.parametrize("said", [b"\7", b"\xff", struct.pack(">BBxx", 250, 1)])
async def test_an_unknown_message_ends_the_viewer_and_no_other(
    said: bytes, desktop: RunningDesktop
) -> None:
    async with viewing(desktop, "ann") as client, viewing(desktop, "bob") as other:
        await client.say(said)
        with pytest.raises(Malformed, match=r"no RFB .* \(type \d+\)"):
            await client.read(1 << 30)
        await other.picture()
    assert (await desktop.act(Screenshot())).picture is not None


async def test_a_viewer_that_takes_nothing_does_not_hold_up_the_desktop(
    desktop: RunningDesktop,
) -> None:
    async with viewing(desktop, "ann") as client:
        for _ in range(50):
            await client.say(WHOLE)
        async with viewing(desktop, "bob") as other:
            await other.picture()
        assert (await desktop.act(Screenshot())).picture is not None


async def test_there_are_so_many_viewers_at_most(desktop: RunningDesktop) -> None:
    async with AsyncExitStack() as stack:
        for number in range(MOST):
            await stack.enter_async_context(viewing(desktop, f"person {number}"))
        with pytest.raises(RateLimited, match="8 viewers already"):
            await stack.enter_async_context(viewing(desktop, "one more"))


async def test_programs_of_viewers_end_with_them(desktop: RunningDesktop) -> None:
    async with viewing(desktop, "ann"):
        assert desktop_programs.named("x11vnc")
    await asyncio.to_thread(eventually, "none is left", none_is_left)


async def test_however_early_a_viewer_ends_nothing_of_its_program_is_left(
    desktop: RunningDesktop,
) -> None:
    before = len(desktop_programs.named("bwrap"))
    for _ in range(40):
        with suppress(RateLimited):  # those that are ending count
            async with desktop.view("ann"):
                pass
    await asyncio.to_thread(eventually, "none is left", none_is_left)

    def walls_are_gone() -> bool:
        return len(desktop_programs.named("bwrap")) == before

    await asyncio.to_thread(eventually, "no walls are left", walls_are_gone)


def none_is_left() -> bool:
    return not desktop_programs.named("x11vnc")
