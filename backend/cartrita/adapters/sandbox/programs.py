"""Runs each program in a sandbox of its own: implements ProgramRunner."""

import asyncio
import os
import secrets
import tempfile
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import msgspec

from cartrita.adapters.processes import landlock
from cartrita.adapters.processes.call_filter import call_filter
from cartrita.adapters.processes.children import started
from cartrita.adapters.sandbox.file_system import SYSTEM
from cartrita.adapters.sandbox.orders import (
    EndedLine,
    FailedLine,
    ReportLine,
    SandboxBounds,
    SandboxOrder,
)
from cartrita.domain.code import Isolation, ProgramEnd, ProgramResult
from cartrita.domain.errors import Unavailable

_MODULE: Final = "cartrita.adapters.sandbox.main"
_LONGEST_LINE: Final = 64 << 10
_SETTLE_S: Final = 5.0
_FIRST_USER, _USERS = 61_184, 4_336
"""Numbers that systemd too gives to users who exist for a while only."""
_PROBE: Final = "print('works')"
_KILL_SIGNALS: Final = frozenset({128 + 9, 128 + 24, 128 + 25, 128 + 31})
"""Kills, too much of a processor, too long a file, a call of another machine."""
_report = msgspec.json.Decoder(cast("type[ReportLine]", ReportLine))


class SandboxedPrograms:
    """Runs so many programs at once as `parallel` says; others wait for `wait_s` seconds at most.

    `hidden` are directories that they must not see. Without `namespaces` they are shut in
    partially: `probe` tells what is missing then. Each takes an `own_user`, by default if this
    process is root's.
    """

    def __init__(
        self,
        bounds: SandboxBounds,
        *,
        namespaces: bool,
        hidden: Sequence[Path] = (),
        own_user: bool | None = None,
        parallel: int = 2,
        wait_s: float = 45.0,
    ) -> None:
        self._bounds = bounds
        self._namespaces = namespaces
        self.hidden = tuple(path.resolve() for path in hidden)
        self._own_user = os.geteuid() == 0 if own_user is None else own_user
        self._slots = asyncio.Semaphore(parallel)
        self._wait_s = wait_s

    async def run(self, program: str) -> ProgramResult:
        """See ProgramRunner."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable(
                "Too many programs run here now, so this one was not begun: try it again later."
            ) from None
        try:
            return await self._run(program)
        finally:
            self._slots.release()

    async def _run(self, program: str) -> ProgramResult:
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            tempfile.TemporaryFile() as file,
        ):
            file.write(program.encode())
            file.seek(0)
            order = msgspec.json.encode(self._order(folder)).decode()
            async with started(
                _MODULE, order, stdin=file, line_bytes=_LONGEST_LINE, reports=True
            ) as process:
                output = bytearray()
                end = await self._read(process, output)
                text = output.decode("utf-8", "replace")
                if end is not ProgramEnd.EXITED:
                    return ProgramResult(text, end, None)
                status = await _status(process)
        killed = status is None or status in _KILL_SIGNALS
        return ProgramResult(text, ProgramEnd.KILLED if killed else end, status)

    async def _read(self, process: Process, output: bytearray) -> ProgramEnd:
        """Read what it prints until it ends, or takes too much of anything."""
        assert process.stdout is not None
        room = self._bounds.output_bytes
        try:
            async with asyncio.timeout(self._bounds.seconds):
                while piece := await process.stdout.read(_LONGEST_LINE):
                    output += piece[: room - len(output)]
                    if len(output) >= room:
                        return ProgramEnd.TOO_MUCH_OUTPUT
                await process.wait()
        except TimeoutError:
            return ProgramEnd.TOO_LONG
        return ProgramEnd.EXITED

    def _order(self, folder: str) -> SandboxOrder:
        return SandboxOrder(
            parent=os.getpid(),
            namespaces=self._namespaces,
            folder=folder,
            user_id=_FIRST_USER + secrets.randbelow(_USERS) if self._own_user else None,
            bounds=self._bounds,
            hidden=tuple(map(str, self.hidden)),
        )


async def probe(programs: SandboxedPrograms, *, namespaces: bool) -> Isolation:
    """Whether these run here, found out by running one; and what they are not kept from."""
    try:
        result = await programs.run(_PROBE)
    except Unavailable as error:
        return Isolation(available=False, reason=error.message)
    if result.output.strip() != "works":
        return Isolation(available=False, reason=f"a first program ended as {result.end}")
    if namespaces:
        return Isolation(available=True)
    return Isolation(available=True, missing=_missing(programs.hidden))


def _missing(hidden: Sequence[Path]) -> tuple[str, ...]:
    """What programs without namespaces are not kept from here."""
    known = landlock.version()
    shown = any(path.is_relative_to(place) for path in hidden for place in SYSTEM)
    holes = {
        "network": call_filter() is None,
        "files": not known or shown,
        "processes": known < landlock.SIGNALS_SCOPED,
        "disk": True,
    }
    return tuple(name for name, open_ in holes.items() if open_)


async def _status(process: Process) -> int | None:
    """What was reported: None if nothing was, because it was killed. Raises Unavailable."""
    assert process.stderr is not None
    lines: list[bytes] = []
    with suppress(TimeoutError, ValueError):
        async with asyncio.timeout(_SETTLE_S):
            while line := await process.stderr.readline():
                lines.append(line)
    for line in lines:
        match _decoded(line):
            case EndedLine(status):
                return status
            case FailedLine(reason):
                raise Unavailable(f"No sandbox can be made here: {reason}.")
            case None:
                continue
    return None


def _decoded(line: bytes) -> ReportLine | None:
    with suppress(msgspec.DecodeError):
        return _report.decode(line)
    return None
