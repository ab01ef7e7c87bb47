"""Viewers by raw RFB: who has not the control moves nothing, and who has does."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tests.harness import desktop_programs
from tests.harness.x_display import eventually

from cartrita.adapters.desktop.host.viewers import MOST
from cartrita.adapters.desktop.running import RunningDesktop, ViewerStream
from cartrita.domain.desktop import Click, Key, Move, Point, Screenshot, Wait
from cartrita.domain.errors import Conflict, Controlled

pytestmark = pytest.mark.slow

LONG = 600.0
WATCHDOG_S = 60.0
WIDTH, HEIGHT = 1280, 800
RETURN = 0xFF0D
WHOLE = struct.pack(">BBHHHH", 3, 0, 0, 0, WIDTH, HEIGHT)


class Client:
    """As much of a client of RFB as is needed: it speaks, and reads raw pictures."""

    def __init__(self, stream: ViewerStream) -> None:
        self._stream = stream
        self._rest = b""

    async def read(self, size: int) -> bytes:
        async with asyncio.timeout(WATCHDOG_S):
            while len(self._rest) < size:
                piece = await self._stream.receive()
                if not piece:
                    raise EOFError
                self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    async def greet(self) -> tuple[int, int]:
        """The width and the height that are told."""
        assert await self.read(12) == b"RFB 003.008\n"
        await self._stream.send(b"RFB 003.008\n")
        (count,) = await self.read(1)
        assert 1 in await self.read(count)
        await self._stream.send(b"\1")
        assert await self.read(4) == bytes(4)
        await self._stream.send(b"\0")
        width, height, _, name = struct.unpack(">HH16sI", await self.read(24))
        await self.read(name)
        return width, height

    async def point(self, at: Point, buttons: int = 0) -> None:
        await self._stream.send(struct.pack(">BBHH", 5, buttons, at.x, at.y))

    async def press(self, keysym: int) -> None:
        for down in (1, 0):
            await self._stream.send(struct.pack(">BBxxI", 4, down, keysym))

    async def type(self, text: str) -> None:
        for letter in text:
            await self.press(RETURN if letter == "\n" else ord(letter))

    async def say(self, data: bytes) -> None:
        await self._stream.send(data)

    async def picture(self) -> None:
        """Ask for the whole screen, and read it: what was said before has been read then."""
        await self._stream.send(WHOLE)
        kind, rectangles = struct.unpack(">BxH", await self.read(4))
        assert kind == 0
        for _ in range(rectangles):
            *_, width, height, encoding = struct.unpack(">HHHHi", await self.read(12))
            assert encoding == 0
            await self.read(width * height * 4)


@asynccontextmanager
async def viewing(desktop: RunningDesktop, holder: str) -> AsyncGenerator[Client]:
    async with desktop.view(holder) as stream:
        client = Client(stream)
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
    await open_terminal(desktop)
    await desktop.take("ann", LONG)
    async with viewing(desktop, "bob") as other, viewing(desktop, "ann") as client:
        await other.type("touch bob\n")
        await client.type("touch ann\n")
        await asyncio.to_thread(eventually, "the file is there", made("ann"))
        with pytest.raises(Controlled):
            await desktop.act(Screenshot())
    assert not made("bob")()


async def open_terminal(desktop: RunningDesktop) -> None:
    await desktop.act(Click(Point(1000, 700)))
    await desktop.act(Key(("Down",)))
    await desktop.act(Key(("Return",)))
    await asyncio.to_thread(eventually, "a shell runs", shells)
    await desktop.act(Wait(0.5))


def shells() -> bool:
    return bool(desktop_programs.named("bash"))


def made(name: str) -> Callable[[], bool]:
    """Whether a file is in the home."""
    return (desktop_programs.home() / name).exists


async def test_keys_that_a_person_held_are_let_go_with_the_control(
    desktop: RunningDesktop,
) -> None:
    await open_terminal(desktop)
    await desktop.take("ann", LONG)
    async with viewing(desktop, "ann") as client:
        empty = await desktop.look()
        await client.say(struct.pack(">BBxxI", 4, 1, ord("a")))
        async with asyncio.timeout(WATCHDOG_S):
            while (await desktop.look()).png == empty.png:
                continue
        await desktop.hand_back("ann")
        still = await desktop.act(Wait(1.0))  # a key that is down would repeat itself
    assert still.before.png == still.after.png


@pytest.mark.parametrize("said", [b"\7", b"\xff", struct.pack(">BBxx", 250, 1)])
async def test_an_unknown_message_ends_the_viewer_and_no_other(
    said: bytes, desktop: RunningDesktop
) -> None:
    async with viewing(desktop, "ann") as client, viewing(desktop, "bob") as other:
        await client.say(said)
        with pytest.raises(EOFError):
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
        with pytest.raises(Conflict, match="8 viewers already"):
            await stack.enter_async_context(viewing(desktop, "one more"))


async def test_programs_of_viewers_end_with_them(desktop: RunningDesktop) -> None:
    async with viewing(desktop, "ann"):
        assert desktop_programs.named("x11vnc")
    await asyncio.to_thread(eventually, "none is left", none_is_left)


def none_is_left() -> bool:
    return not desktop_programs.named("x11vnc")
