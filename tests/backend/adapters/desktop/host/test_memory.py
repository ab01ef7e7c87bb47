"""Programs of a desktop that use too much memory together lose the largest of them, at once."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event

import pytest

from cartrita.adapters.desktop.host import lineage, memory
from cartrita.domain.desktop import DesktopIsolation

USE = "import sys; used = b'x' * int(sys.argv[1]); print('used', flush=True); sys.stdin.read()"
SMALL, LARGE = 1 << 20, 64 << 20


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Small ones, and large ones: all that this process has, as far as is looked at."""
    with ExitStack() as stack:
        started = [stack.enter_context(_program(size)) for size in (SMALL, LARGE, 2 * LARGE, LARGE)]
        numbers = [each.pid for each in started]
        assert set(numbers) <= set(lineage.descendants())
        monkeypatch.setattr(lineage, "descendants", lambda: numbers)
        yield started
        for each in started:
            each.kill()


def _program(size: int) -> subprocess.Popen[bytes]:
    return _running("-c", USE, str(size))


def _running(*options: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    program = subprocess.Popen([sys.executable, *options], stdin=pipe, stdout=pipe)
    assert program.stdout is not None
    assert program.stdout.readline() == b"used\n"
    return program


def test_as_many_are_killed_as_use_too_much(programs: list[subprocess.Popen[bytes]]) -> None:
    small, *large = programs
    assert SMALL <= memory.relieve(LARGE // 2) <= LARGE // 2
    assert [each.wait() for each in large] == [-9, -9, -9]
    assert small.poll() is None


def test_the_largest_is_killed_first(programs: list[subprocess.Popen[bytes]]) -> None:
    small, large, largest, other = programs
    assert 2 * LARGE < memory.relieve(3 * LARGE) <= 3 * LARGE
    assert largest.wait() == -9
    assert [each.poll() for each in (small, large, other)] == [None, None, None]


def test_nothing_is_while_they_use_what_they_may(programs: list[subprocess.Popen[bytes]]) -> None:
    assert memory.relieve(1 << 40) > 4 * LARGE
    assert [each.poll() for each in programs] == [None, None, None, None]


HIDDEN = {
    "what is shared and was let go of": """
import mmap
held = mmap.mmap(-1, SIZE)
held.write(bytes(SIZE))
held.madvise(mmap.MADV_DONTNEED)
""",
    "a closed file of which a page is mapped": """
import ctypes, os
file = os.memfd_create("held")
for _ in range(SIZE >> 20):
    os.write(file, bytes(1 << 20))
number, size, library = ctypes.c_int, ctypes.c_size_t, ctypes.CDLL(None)
library.mmap.restype = ctypes.c_void_p
place = library.mmap(None, size(4096), number(3), number(1), number(file), size(0))
os.close(file)
""",
}
AND_WAIT = """
import sys
print("used", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(
    not memory._tells_sizes(), reason="only root is told how large mapped files are"
)
@pytest.mark.parametrize("held", HIDDEN)
def test_what_is_held_without_being_mapped_in_is_counted(
    held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        f"SIZE = {LARGE}\n{HIDDEN[held]}\nprint('used', flush=True); import sys; sys.stdin.read()"
    )
    with _running("-c", code) as program:
        monkeypatch.setattr(lineage, "descendants", lambda: [program.pid])
        assert memory.relieve(1 << 40) > LARGE
        memory.relieve(LARGE)
        assert program.wait() == -9


@pytest.mark.skipif(
    not memory._tells_sizes(), reason="only root is told how large mapped files are"
)
def test_no_more_is_read_of_mappings_than_is_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"SIZE = {LARGE}\n{[*HIDDEN.values()][1]}{AND_WAIT}"
    with _running("-c", code) as program:
        monkeypatch.setattr(lineage, "descendants", lambda: [program.pid])
        monkeypatch.setattr(memory, "_MOST_LINES", 1)
        assert memory.relieve(1 << 40) < LARGE
        program.kill()


async def test_the_desktop_is_served_while_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, served = Event(), Event()

    def relieve(_: int) -> int:
        reading.set()
        assert served.wait(60.0)
        return 0

    monkeypatch.setattr(memory, "_LOOK_S", 0.0)
    monkeypatch.setattr(memory, "relieve", relieve)
    watching = asyncio.ensure_future(memory.watch(100, DesktopIsolation.PLAIN))
    await asyncio.to_thread(reading.wait, 60.0)
    served.set()
    watching.cancel()
    await asyncio.wait([watching])


async def test_it_looks_more_often_when_more_than_half_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used, slept = iter((10, 60, 50)), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            raise asyncio.CancelledError

    def relieve(most: int) -> int:
        assert most == 100
        return next(used)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(memory, "relieve", relieve)
    with pytest.raises(asyncio.CancelledError):
        await memory.watch(100, DesktopIsolation.PLAIN)
    assert slept[0] == slept[1] == slept[3] > slept[2]
