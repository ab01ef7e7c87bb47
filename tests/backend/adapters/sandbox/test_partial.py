"""Where the system lets no sandbox be complete, what is left of it still holds."""

import os
import sys
from pathlib import Path

import pytest

from cartrita.adapters.processes import landlock
from cartrita.adapters.sandbox.orders import SandboxBounds
from cartrita.adapters.sandbox.programs import SandboxedPrograms, probe
from cartrita.domain.code import ProgramEnd, ProgramResult

SHORT = SandboxBounds(seconds=2.0, memory_bytes=256 << 20, disk_bytes=1 << 20)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sandboxes are Linux'")


async def ran(program: str) -> ProgramResult:
    # As the user of the server: another one of root's may not be able to reach Python.
    partial = SandboxedPrograms(SHORT, namespaces=False, own_user=False)
    isolation = await probe(partial, namespaces=False)
    if not isolation.available:
        pytest.skip(isolation.told)
    return await partial.run(program)


@pytest.mark.parametrize(
    ("known", "hidden", "missing"),
    [
        (0, "/srv", "files, processes, disk"),
        (5, "/srv", "processes, disk"),
        (6, "/usr/share/cartrita", "files, disk"),
        (7, "/srv", "disk"),
    ],
)
async def test_what_is_missing_is_named(
    known: int, hidden: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: known)
    partial = SandboxedPrograms(SHORT, namespaces=False, hidden=(Path(hidden),), own_user=False)
    isolation = await probe(partial, namespaces=False)
    assert isolation.told == f"partial, without {missing}"


async def test_programs_run() -> None:
    result = await ran("print(6 * 7)")
    assert (result.output, result.end, result.status) == ("42\n", ProgramEnd.EXITED, 0)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import socket; socket.socket()", "Operation not permitted"),
        ("x = bytearray(1 << 30)", "MemoryError"),
    ],
)
async def test_what_is_refused(program: str, told: str) -> None:
    result = await ran(program)
    assert result.status == 1
    assert told in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root has no bound of processes")
@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import os; os.fork()", "BlockingIOError"),
        ("import threading; threading.Thread(target=print).start()", "can't start new thread"),
    ],
)
async def test_there_are_no_processes_and_threads_of_its_own(program: str, told: str) -> None:
    result = await ran(program)
    assert result.status == 1
    assert told in result.output


@pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")
async def test_files_of_the_server_cannot_be_read_or_listed(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("heliotrope")
    secret.chmod(0o644)
    for program in (
        f"open({str(secret)!r})",
        f"import os; os.listdir({str(tmp_path)!r})",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        "import os; os.listdir('/proc')",
        "open('/proc/1/environ')",
        "open('/etc/passwd')",
    ):
        result = await ran(program)
        assert "PermissionError" in result.output, (program, result)
    own = await ran("open('x', 'w').write('moss')\nprint(open('x').read())")
    assert own.output == "moss\n"


@pytest.mark.skipif(landlock.version() < landlock.SIGNALS_SCOPED, reason="the kernel cannot")
async def test_no_signal_is_sent_to_others() -> None:
    result = await ran(f"import os; os.kill({os.getpid()}, 0)")
    assert "PermissionError" in result.output


async def test_what_is_ended() -> None:
    assert (await ran("while True: pass")).end is ProgramEnd.TOO_LONG
    assert (await ran("while True: print('x' * 999)")).end is ProgramEnd.TOO_MUCH_OUTPUT
    long_file = await ran("open('x', 'wb').write(bytes(2 << 20))")
    assert long_file.end is ProgramEnd.KILLED or "File too large" in long_file.output
