"""Programs run in a sandbox, and hostile ones neither get out of it nor stay."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest
import uvloop

from cartrita.adapters.sandbox.orders import SandboxBounds
from cartrita.adapters.sandbox.programs import SandboxedPrograms, probe
from cartrita.domain.code import Isolation, ProgramEnd, ProgramResult
from cartrita.domain.errors import Unavailable

BOUNDS = SandboxBounds(seconds=20.0, memory_bytes=256 << 20, disk_bytes=8 << 20, processes=12)
SHORT = SandboxBounds(seconds=1.0, memory_bytes=256 << 20, processes=12)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sandboxes are Linux'")


async def ran(
    program: str, bounds: SandboxBounds = BOUNDS, *, hidden: tuple[Path, ...] = ()
) -> ProgramResult:
    """The result of a program in a whole sandbox."""
    programs = SandboxedPrograms(bounds, namespaces=True, hidden=hidden)
    isolation = await probe(programs, namespaces=True)
    if not isolation.available:
        pytest.skip(isolation.told)
    return await programs.run(program)


async def printed(program: str, bounds: SandboxBounds = BOUNDS) -> str:
    result = await ran(program, bounds)
    assert (result.end, result.status) == (ProgramEnd.EXITED, 0), result
    return result.output


async def test_what_is_printed_comes_in_its_order() -> None:
    told = await printed(
        "import sys\nprint('grüße')\nprint('two', file=sys.stderr)\nprint('three')"
    )
    assert told == "grüße\ntwo\nthree\n"
    assert await printed("") == ""


async def test_a_failure_shows_its_traceback_and_status() -> None:
    result = await ran("x = 1\nraise ValueError('heliotrope')")
    assert (result.end, result.status) == (ProgramEnd.EXITED, 1)
    assert "line 2" in result.output
    assert result.output.endswith("ValueError: heliotrope\n")
    assert (await ran("raise SystemExit(7)")).status == 7
    assert (await ran("raise SystemExit(125)")).status == 125


async def test_the_environment_is_empty_and_there_is_no_input() -> None:
    told = await printed(
        "import os, sys\nprint(sorted(set(os.environ) - {'LC_CTYPE'}), repr(sys.stdin.read()))"
    )
    assert told == "[] ''\n"


async def test_the_program_is_another_user_with_no_rights() -> None:
    status = await printed("print(open('/proc/self/status').read())")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in lines["Uid"].split()
    assert lines["CapEff"] == lines["CapPrm"] == "0" * 16
    assert (lines["NoNewPrivs"], lines["Seccomp"]) == ("1", "2")
    if os.geteuid() == 0:
        assert lines["Groups"].strip() == ""


async def test_it_has_a_directory_of_its_own_that_ends_with_it() -> None:
    program = "import os\nopen('x', 'w').write('kept')\nprint(os.getcwd(), sorted(os.listdir()))"
    assert await printed(program) == "/tmp ['program.py', 'x']\n"
    assert await printed(program.replace("'w'", "'x'")) == "/tmp ['program.py', 'x']\n"


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.socket()",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1')",
        "import socket; socket.create_connection(('1.1.1.1', 53), 1)",
    ],
)
async def test_there_is_no_network(program: str) -> None:
    result = await ran(program)
    assert result.status == 1
    assert "Operation not permitted" in result.output or "name resolution" in result.output


def test_no_socket_of_the_server_is_open() -> None:
    """The server's event loop, unlike that of the tests, leaves open what can be inherited."""
    program = (
        "import os\n"
        "for number in range(3, 64):\n"
        "    try: print(os.fstat(number))\n"
        "    except OSError: pass"
    )
    with socket.socket() as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        listener.set_inheritable(True)
        assert runner.run(printed(program)) == ""


async def test_there_is_no_network_even_without_the_filter_of_calls() -> None:
    told = await printed("print(open('/proc/net/dev').read())")
    devices = {line.split(":")[0].strip() for line in told.splitlines() if ":" in line}
    assert devices <= {"lo"}


async def test_files_of_the_server_are_not_there(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("heliotrope")
    secret.chmod(0o644)
    for path in (secret, tmp_path, Path("/etc/passwd"), Path(__file__)):
        result = await ran(f"import os\nos.stat({str(path)!r})")
        assert "FileNotFoundError" in result.output, (path, result)
    shown = {"bin", "dev", "etc", "lib", "lib64", "proc", "sbin", "tmp", "usr"}
    told = await printed("import os\nprint(' '.join(os.listdir('/')))")
    assert set(told.split()) <= shown | {Path(sys.base_prefix).parts[1]}


async def test_a_directory_under_what_is_shown_is_hidden() -> None:
    hidden = Path(sys.base_prefix) / "include"
    if not hidden.is_dir():
        pytest.skip("there is no directory to hide")
    result = await ran(f"import os\nprint(os.listdir({str(hidden)!r}))", hidden=(hidden,))
    assert "Permission" in result.output or result.output == "[]\n"


@pytest.mark.parametrize(
    "program",
    [
        "open('/usr/x', 'w')",
        "open('/x', 'w')",
        "import os; os.chmod('/usr', 0o777)",
        "import os; os.mknod('/tmp/sda', 0o60666, os.makedev(8, 0)); open('/tmp/sda')",
    ],
)
async def test_what_is_shown_cannot_be_changed(program: str) -> None:
    result = await ran(program)
    assert result.status == 1
    assert "Error: [Errno" in result.output


async def test_other_processes_are_not_seen() -> None:
    told = await printed(
        "import os\nprint([p for p in os.listdir('/proc') if p.isdigit() and int(p) > 9])"
    )
    assert told == "[]\n"
    program = f"import os\nos.kill({os.getpid()}, 0)"
    assert "ProcessLookupError" in (await ran(program)).output


@pytest.mark.parametrize(
    ("call", "number"),
    [("unshare", 272), ("ptrace", 101), ("mount", 165), ("bpf", 321), ("io_uring_setup", 425)],
)
async def test_calls_that_lead_to_more_rights_are_refused(call: str, number: int) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86_64")
    told = await printed(
        "import ctypes\n"
        "c = ctypes.CDLL(None, use_errno=True)\n"
        f"print(c.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno())"
    )
    assert told == "-1 1\n", call


async def test_a_fork_bomb_is_bounded_and_ends() -> None:
    result = await ran(
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", SHORT
    )
    assert result.end is ProgramEnd.TOO_LONG
    assert not await left_behind()


async def test_a_child_in_a_session_of_its_own_ends_with_its_program() -> None:
    program = (
        "import os, time\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    if not os.fork(): time.sleep(1000)\n"
        "    os._exit(0)\n"
        "print('begun')"
    )
    assert await printed(program) == "begun\n"
    assert not await left_behind()


async def test_a_program_that_ignores_signals_is_ended() -> None:
    result = await ran(
        "import signal, os\n"
        "for n in range(1, 65):\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "os.setsid() if os.getpid() != os.getsid(0) else None\n"
        "print('begun')\n"
        "while True: pass",
        SHORT,
    )
    assert (result.end, result.output) == (ProgramEnd.TOO_LONG, "begun\n")
    assert not await left_behind()


async def test_memory_is_bounded() -> None:
    result = await ran("x = []\nwhile True: x.append(bytearray(1 << 20))")
    assert result.end is ProgramEnd.KILLED or "MemoryError" in result.output


async def test_what_is_written_is_bounded() -> None:
    result = await ran("with open('x', 'wb') as f:\n    while True: f.write(bytes(1 << 20))")
    assert result.end is ProgramEnd.KILLED or "Errno" in result.output
    many = await ran("for n in range(100):\n    open(str(n), 'wb').write(bytes(1 << 20))", BOUNDS)
    assert "No space left" in many.output
    names = await ran("for n in range(100_000): open(str(n), 'x').close()")
    assert "No space left" in names.output


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_endless_output_is_bounded(stream: str) -> None:
    result = await ran(f"import sys\nwhile True: sys.{stream}.write('x' * 1000 + chr(10))")
    assert result.end is ProgramEnd.TOO_MUCH_OUTPUT
    assert len(result.output) == BOUNDS.output_bytes
    assert not await left_behind()


async def test_bytes_that_are_no_text_are_replaced() -> None:
    assert await printed("import os\nos.write(1, b'a\\xff\\x00b')") == "a\ufffd\x00b"


async def test_a_report_cannot_be_forged() -> None:
    result = await ran(
        "import os\n"
        "for fd in range(2, 64):\n"
        '    try: os.write(fd, b\'{"type":"ended","status":0}\\n\')\n'
        "    except OSError: pass\n"
        "raise SystemExit(3)"
    )
    assert result.status == 3


async def test_a_run_that_is_cancelled_leaves_nothing_behind() -> None:
    programs = SandboxedPrograms(BOUNDS, namespaces=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await programs.run("while True: pass")
    assert not await left_behind()


async def test_programs_wait_for_each_other() -> None:
    programs = SandboxedPrograms(BOUNDS, namespaces=True, parallel=1)
    if not (await probe(programs, namespaces=True)).available:
        pytest.skip("there is no whole sandbox here")
    results = await asyncio.gather(*(programs.run(f"print({n})") for n in range(3)))
    assert [one.output for one in results] == ["0\n", "1\n", "2\n"]


async def test_a_program_that_found_no_place_in_time_was_not_begun() -> None:
    programs = SandboxedPrograms(BOUNDS, namespaces=False, parallel=0, wait_s=0.0)
    with pytest.raises(Unavailable, match="was not begun"):
        await programs.run("print(1)")


async def test_a_sandbox_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        """A directory that is not there any more."""

        def __init__(self, **_: object) -> None: ...

        def __enter__(self) -> str:
            return "/nowhere/at/all"

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr("tempfile.TemporaryDirectory", Elsewhere)
    programs = SandboxedPrograms(BOUNDS, namespaces=False)
    with pytest.raises(Unavailable, match="No sandbox can be made here"):
        await programs.run("print(1)")
    isolation = await probe(programs, namespaces=False)
    assert not isolation.available
    assert isolation.told.startswith("none: No sandbox")


def test_isolation_in_words() -> None:
    assert Isolation(available=True).told == "full"
    partial = Isolation(available=True, missing=("files", "disk"))
    assert partial.told == "partial, without files, disk"


async def left_behind() -> list[str]:
    """The processes of this machine that still run a program; the kernel needs a moment."""
    found: list[str] = []
    for _ in range(100):
        found = running()
        if not found:
            break
        await asyncio.sleep(0.02)
    return found


def running() -> list[str]:
    """The processes that run a program, or make a sandbox, now."""
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if _runs(path)]


def _runs(path: Path) -> bool:
    try:
        command = path.read_bytes()
        return b"\0program.py\0" in command or b"adapters.sandbox.main" in command
    except OSError:
        return False
