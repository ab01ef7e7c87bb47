"""Where the system lets no sandbox be complete, what is left of it still holds."""

import sys

import pytest

from cartrita.adapters.sandbox.orders import SandboxBounds
from cartrita.adapters.sandbox.programs import SandboxedPrograms, probe
from cartrita.domain.code import ProgramEnd, ProgramResult

SHORT = SandboxBounds(seconds=2.0, memory_bytes=256 << 20, disk_bytes=1 << 20)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sandboxes are Linux'")


async def ran(program: str) -> ProgramResult:
    partial = SandboxedPrograms(SHORT, namespaces=False)
    isolation = await probe(partial, namespaces=False)
    if not isolation.available:
        pytest.skip(isolation.told)
    return await partial.run(program)


async def test_what_is_missing_is_named() -> None:
    partial = SandboxedPrograms(SHORT, namespaces=False)
    isolation = await probe(partial, namespaces=False)
    if isolation.available:
        assert isolation.told == "partial, without files, processes, disk"
    else:
        assert isolation.told.startswith("none: ")


async def test_programs_run() -> None:
    result = await ran("print(6 * 7)")
    assert (result.output, result.end, result.status) == ("42\n", ProgramEnd.EXITED, 0)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import socket; socket.socket()", "Operation not permitted"),
        ("import os; os.fork()", "BlockingIOError"),
        ("import threading; threading.Thread(target=print).start()", "can't start new thread"),
        ("x = bytearray(1 << 30)", "MemoryError"),
    ],
)
async def test_what_is_refused(program: str, told: str) -> None:
    result = await ran(program)
    assert result.status == 1
    assert told in result.output


async def test_what_is_ended() -> None:
    assert (await ran("while True: pass")).end is ProgramEnd.TOO_LONG
    assert (await ran("while True: print('x' * 999)")).end is ProgramEnd.TOO_MUCH_OUTPUT
    long_file = await ran("open('x', 'wb').write(bytes(2 << 20))")
    assert long_file.end is ProgramEnd.KILLED or "File too large" in long_file.output
