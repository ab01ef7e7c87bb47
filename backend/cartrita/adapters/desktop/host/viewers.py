"""Viewers of a desktop: each has an x11vnc of its own that shows it, and input by the gate."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from cartrita.adapters.desktop.frames import MOST_SHOWN, frame, piece
from cartrita.adapters.desktop.host.enclosures import Enclosure
from cartrita.adapters.desktop.host.gate import Gate
from cartrita.adapters.desktop.host.hands import Hands
from cartrita.adapters.desktop.host.rfb import BadMessage, ClientMessages
from cartrita.adapters.desktop.host.screens import running
from cartrita.adapters.desktop.orders import RefusedAnswer
from cartrita.domain.desktop_errors import DesktopGone

MOST: Final = 8
"""So many at once: each takes a process, and a part of a processor while the screen changes."""
_STALL_S: Final = 30.0
_SAID: Final = 1 << 10
"""So much of what a viewer says is done, before it is looked whether more of it may be."""
_BAD: Final = "This is no RFB that a viewer may say here"
_PROGRAM: Final = (
    *("x11vnc", "-inetd", "-q", "-nopw", "-norc", "-noipv6", "-nolookup"),
    *("-nocmds", "-noremote", "-novncconnect", "-notightfilexfer"),
    *("-repeat", "-nobell", "-wait", "10", "-defer", "10", "-cursor", "most"),
)
"""It takes no commands, neither from its viewer nor by properties of the display."""


class Viewers:
    """Carries RFB between viewers and the display. One that takes nothing for long is ended."""

    def __init__(
        self,
        enclosure: Enclosure,
        display: str,
        gate: Gate,
        hands: Hands,
        *,
        stall_s: float = _STALL_S,
    ) -> None:
        self._enclosure = enclosure
        self._display = display
        self._gate = gate
        self._hands = hands
        self._stall_s = stall_s
        self._count = 0

    @property
    def full(self) -> bool:
        """Whether there are so many that no more can be had."""
        return self._count >= MOST

    async def carry(
        self, holder: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry both ways until one side ends, or says what it may not."""
        self._count += 1
        ours, theirs = socket.socketpair()
        command = self._enclosure.viewer(_PROGRAM, self._display)
        try:
            async with running(command, stream=theirs.fileno()):
                theirs.close()  # so that the end of the program is seen
                await self._exchange(holder, reader, writer, ours)
        finally:
            if self._gate.holder == holder:
                self._hands.let_go()  # nobody else tells that what this one pressed is up
            self._count -= 1
            ours.close()
            theirs.close()

    async def _exchange(
        self,
        holder: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        program: socket.socket,
    ) -> None:
        """Carry both ways, and tell a viewer that said what it may not."""
        messages = ClientMessages(lambda: self._gate.holder == holder)
        screen, input_ = await asyncio.open_connection(sock=program)
        try:
            async with asyncio.TaskGroup() as pumps:
                said = pumps.create_task(self._pump(reader, _SAID, input_, self._done(messages)))
                shown = pumps.create_task(self._pump(screen, MOST_SHOWN, writer, _as_piece))
                await asyncio.wait((said, shown), return_when=asyncio.FIRST_COMPLETED)
                said.cancel()
                shown.cancel()
            bad = None if said.cancelled() else said.result()
            if bad is not None:
                writer.write(piece(b"") + frame(RefusedAnswer("rfb", f"{_BAD} ({bad}).")))
        finally:
            input_.close()

    def _done(self, messages: ClientMessages) -> Callable[[bytes], Awaitable[bytes]]:
        """Does the input in what is said; what is left is to be passed on."""

        async def done(data: bytes) -> bytes:
            said = messages.read(data)
            if said.input:
                await self._hands.enter(said.input)
            return said.passed

        return done

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        size: int,
        writer: asyncio.StreamWriter,
        passed: Callable[[bytes], Awaitable[bytes]],
    ) -> BadMessage | None:
        """Carry one way until one side ends, or says what it may not, which is returned."""
        try:
            while data := await reader.read(size):
                async with asyncio.timeout(self._stall_s):
                    writer.write(await passed(data))
                    await writer.drain()
        except BadMessage as error:
            return error
        except (ConnectionError, TimeoutError, DesktopGone):
            return None
        return None


async def _as_piece(data: bytes) -> bytes:
    return piece(data)
