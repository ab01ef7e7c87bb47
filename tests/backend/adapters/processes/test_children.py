"""Processes of ours have no environment, and end with all that they started."""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.harness.scenario import eventually

from cartrita.adapters.processes.children import serving, started

_ALIVE = frozenset({psutil.STATUS_RUNNING, psutil.STATUS_SLEEPING, psutil.STATUS_DISK_SLEEP})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Python that runs the module of the test wherever it is started."""
    script = tmp_path / "python"
    body = (
        "import os, subprocess, sys\n"
        "print(sorted(set(os.environ) - {'LC_CTYPE'}), sys.argv[4:], flush=True)\n"
        "print(subprocess.Popen(['/bin/sleep', '1000']).pid, flush=True)\n"
        "sys.stdin.read()\n"
        "subprocess.run(['/bin/sleep', '1000'])\n"
    )
    script.write_text(f"#!{sys.executable}\n{body}")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    return "any.module"


async def test_the_group_is_killed(module: str) -> None:
    with tempfile.TemporaryFile() as file:
        async with started(module, "the order", stdin=file, line_bytes=1000) as process:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"[] ['the order']\n"
            child = int(await process.stdout.readline())
            assert os.getpgid(child) == process.pid
    assert process.returncode == -9
    await gone(child)


async def test_one_whose_output_nobody_reads_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of it than asyncio takes without being asked: it never sees the pipe's end by itself."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nprint('.' * (1 << 20), flush=True)\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    async with asyncio.timeout(60):
        async with started("any.module", "", stdin=DEVNULL, line_bytes=1000) as process:
            assert process.stdout is not None
            assert await process.stdout.readexactly(1)
        assert process.returncode == -9


async def gone(pid: int) -> None:
    async def look() -> bool:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(pid).status() not in _ALIVE
        return True

    await eventually(look)


_LEAVES = """
import os, subprocess, sys
print(sorted(os.environ), os.getcwd(), flush=True)
print(subprocess.Popen(["/bin/sleep", "1000"]).pid, flush=True)
sys.stdin.read()
{then}
"""


@pytest.mark.parametrize(
    ("then", "status"), [("sys.exit(3)", 3), ("import time; time.sleep(999)", -9)]
)
async def test_a_program_that_serves_ends_with_its_group(
    tmp_path: Path, then: str, status: int
) -> None:
    """Whether it ends itself when its stdin does, or stays."""
    command = (sys.executable, "-I", "-c", _LEAVES.format(then=then))
    async with serving(
        command, environment={"NAME": "value"}, folder=tmp_path, line_bytes=1000
    ) as process:
        assert process.stdout is not None
        told = (await process.stdout.readline()).decode()
        assert told in (f"['NAME'] {tmp_path}\n", f"['LC_CTYPE', 'NAME'] {tmp_path}\n")
        child = int(await process.stdout.readline())
    assert process.returncode == status
    await gone(child)


async def test_a_program_that_cannot_be_started() -> None:
    with pytest.raises(FileNotFoundError):
        async with serving(("/nowhere",), environment={}, folder=None, line_bytes=1000):
            pass
