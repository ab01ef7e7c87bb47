"""Processes of ours have no environment, and end with all that they started."""

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.harness.scenario import eventually

from cartrita.adapters.processes.children import started

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

    async def gone() -> bool:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(child).status() not in _ALIVE
        return True

    assert await eventually(gone)
