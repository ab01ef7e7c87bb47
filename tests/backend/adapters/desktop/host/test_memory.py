"""Programs of a desktop that use too much memory together lose the largest of them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cartrita.adapters.desktop.host import lineage, memory

USE = "import sys; used = b'x' * int(sys.argv[1]); print('used', flush=True); sys.stdin.read()"
SMALL, LARGE = 1 << 20, 64 << 20


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two, of which the second is the larger: all that this process has, as far as is looked at."""
    with ExitStack() as stack:
        started = [stack.enter_context(_program(size)) for size in (SMALL, LARGE)]
        numbers = [each.pid for each in started]
        assert set(numbers) <= set(lineage.descendants())
        monkeypatch.setattr(lineage, "descendants", lambda: numbers)
        yield started
        for each in started:
            each.kill()


def _program(size: int) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    program = subprocess.Popen([sys.executable, "-c", USE, str(size)], stdin=pipe, stdout=pipe)
    assert program.stdout is not None
    assert program.stdout.readline() == b"used\n"
    return program


def test_the_largest_is_killed(programs: list[subprocess.Popen[bytes]]) -> None:
    small, large = programs
    assert memory.relieve(LARGE // 2) == large.pid
    assert large.wait() == -9
    assert small.poll() is None


def test_nothing_is_while_they_use_what_they_may(programs: list[subprocess.Popen[bytes]]) -> None:
    assert memory.relieve(1 << 40) is None
    assert [each.poll() for each in programs] == [None, None]
