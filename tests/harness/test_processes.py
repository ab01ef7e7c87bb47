"""No killed test leaves a server behind, and what is left behind is seen."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.harness.processes import ParentWatch, leftovers, wait_gone

ROOT = Path(__file__).parents[2]
_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# A test process: it starts a server-to-be, puts it on a guard, and waits to be killed.
_OWNER = f"""
import subprocess, time
from tests.harness.processes import ParentWatch
server = subprocess.Popen({_SLEEP!r})
guard = ParentWatch(server.pid)
print(server.pid, flush=True)
time.sleep(600)
"""


def test_parent_watch_ends_the_server_of_a_killed_test(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER],
        cwd=ROOT,
        env={**os.environ, "CARTRITA_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        server = int(owner.stdout.readline())
        assert any(line.startswith(f"{server} ") for line in leftovers(tmp_path))
        owner.send_signal(signal.SIGKILL)
    assert wait_gone(tmp_path, 60) == []


def test_released_parent_watch_does_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(_SLEEP) as server:
        ParentWatch(server.pid).release()
        assert server.poll() is None
        server.kill()


def test_what_is_left_behind_is_seen(tmp_path: Path) -> None:
    env = {**os.environ, "CARTRITA_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(_SLEEP, env=env) as server:
        left = wait_gone(tmp_path, 0.2)
        assert [line.split()[0] for line in left] == [str(server.pid)]
        assert leftovers(tmp_path / "another") == []
        server.kill()
    assert wait_gone(tmp_path, 60) == []
