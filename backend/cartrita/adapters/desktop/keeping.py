"""The process of a host, from its start to its end, for all who wait for one of them."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
import msgspec
import structlog

from cartrita.adapters.desktop import folders
from cartrita.adapters.desktop.frames import line_decoder
from cartrita.adapters.desktop.orders import HostEnded, HostLine, HostReady
from cartrita.adapters.processes.children import serving

log = structlog.get_logger(__name__)

LONGEST_LINE: Final = 64 << 10
_DEATH_S: Final = 30.0
"""What is killed may live on for a while on a busy machine, and then clears nothing up itself."""
_LOOK_S: Final = 0.02
_LAST_WORDS: Final = 500
"""In bytes."""
_LAST_WORDS_S: Final = 1.0
"""For them to be read when it has ended."""


class Keeping:
    """Holds one process. It is ended by word, not by cancelling: its end must be seen."""

    def __init__(self, folder: Path, *, reports: bool = False) -> None:
        """One that `reports` says on its standard error why it does not start."""
        self._folder = folder
        self._stderr = PIPE if reports else DEVNULL
        self._said = b""
        self._ready = False
        self._told = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._ended = asyncio.Event()
        self._reason = "It ended while it was being started."

    async def run(
        self, command: Sequence[str], environment: Mapping[str, str], start_timeout_s: float
    ) -> None:
        """Hold the process until it ends, or is not wanted any more; then nothing is left of it."""
        try:
            async with serving(
                command,
                environment=environment,
                folder=None,
                line_bytes=LONGEST_LINE,
                stderr=self._stderr,
            ) as process:
                await self._watch(process, start_timeout_s)
        except OSError as error:
            self._reason = f"{command[0]} cannot be started: {error.strerror}."
        finally:
            with anyio.CancelScope(shield=True):
                await self._clear()
            log.info("desktop_ended", desktop=self._folder.name, reason=self._reason)
            self.over()

    async def started(self) -> str | None:
        """None when the desktop can be used, or why it cannot."""
        await self._told.wait()
        if self._ready:
            return None
        said = self._said.decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), None)
        return self._reason if last is None else f"{self._reason} It said: {last}"

    def over(self) -> None:
        """Nobody waits for it any more."""
        self._told.set()
        self._ended.set()

    def dismiss(self) -> None:
        """It is not wanted any more."""
        self._unwanted.set()

    async def end(self) -> None:
        """Dismiss it, and wait until nothing is left of it."""
        self.dismiss()
        with anyio.CancelScope(shield=True):
            await self._ended.wait()

    async def _clear(self) -> None:
        """Remove what is left when the last process of it is dead, which the killed keeper was not.

        A host that does not die has its folder still; the next start of a server looks again.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_DEATH_S):
                while True:
                    if await asyncio.to_thread(folders.remove_if_dead, self._folder):
                        return
                    await asyncio.sleep(_LOOK_S)

    async def _watch(self, process: Process, start_timeout_s: float) -> None:
        assert process.stdout is not None
        async with asyncio.TaskGroup() as tasks:
            life = tasks.create_task(self._read(process.stdout, start_timeout_s))
            unwanted = tasks.create_task(self._unwanted.wait())
            heard = tasks.create_task(self._hear(process.stderr))
            await asyncio.wait((life, unwanted), return_when=asyncio.FIRST_COMPLETED)
            if not life.done():
                self._reason = "It is not wanted any more."
            elif not self._ready:
                await asyncio.wait((heard,), timeout=_LAST_WORDS_S)
            life.cancel()
            unwanted.cancel()
            heard.cancel()

    async def _hear(self, errors: asyncio.StreamReader | None) -> None:
        """Keep the end of what it says on its standard error."""
        while errors is not None and (said := await errors.read(_LAST_WORDS)):
            self._said = (self._said + said)[-_LAST_WORDS:]

    async def _read(self, output: asyncio.StreamReader, start_timeout_s: float) -> None:
        """Read what it tells of its start and its end."""
        try:
            async with asyncio.timeout(start_timeout_s):
                line = await read_line(output)
        except TimeoutError:
            self._reason = f"It did not start within {start_timeout_s:g} seconds."
            return
        if isinstance(line, HostReady):
            self._ready, self._reason = True, "It was killed."
            self._told.set()
            line = await read_line(output)
        if isinstance(line, HostEnded):
            self._reason = line.reason


async def read_line(output: asyncio.StreamReader) -> HostLine | None:
    """What a host tells next; None at the end."""
    with suppress(ValueError, msgspec.DecodeError):
        return line_decoder.decode(await output.readline())
    return None
