"""Child processes: environment, output, signals, the watch on their parent."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.backend.adapters.postgres.conftest import until

from cartrita.adapters.postgres import Supervisor, os_users, subprocesses
from cartrita.adapters.postgres.subprocesses import Daemon, ParentWatch


def watchers_of(word: str) -> list[int]:
    """Shells that have this word on their command line."""
    return [
        process.pid
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "sh" and word in (process.info["cmdline"] or [])
    ]


def test_environment_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGOPTIONS", "LD_LIBRARY_PATH", "SECRET"):
        monkeypatch.setenv(name, "leaked")
    done = subprocesses.run(["/usr/bin/env"], variables={"PGUSER": "given"})
    assert "leaked" not in done.stdout
    assert "PGUSER=given" in done.stdout


def test_last_line_of_the_output() -> None:
    failed = subprocesses.run(["/bin/sh", "-c", "echo one >&2; echo two >&2; exit 3"])
    assert (failed.ok, failed.code, failed.last_line) == (False, 3, "two")
    assert subprocesses.run(["/bin/sh", "-c", "exit 4"]).last_line == "exit code 4"


def test_watcher_ends_with_the_server(serve: Callable[..., Supervisor], workspace: Path) -> None:
    supervisor = serve(parent_watch=ParentWatch.PIPE)
    supervisor.start()
    cluster = str(workspace / "data" / "postgres")
    assert len(watchers_of(cluster)) == 1
    supervisor.stop()
    until(lambda: not watchers_of(cluster), "the watcher ended")


def test_daemon_survives_its_watcher(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        daemon = Daemon(
            ["/bin/sleep", "300.25"],
            user=os_users.from_uid(os.geteuid()),
            log=log,
            parent_watch=ParentWatch.PIPE,
        )
    until(lambda: watchers_of("300.25"), "the watcher is there")
    for pid in watchers_of("300.25"):
        os.kill(pid, signal.SIGKILL)
    assert daemon.poll() is None
    daemon.stop([(signal.SIGTERM, 60)])
    assert daemon.poll() == -signal.SIGTERM


def test_stop_goes_on_to_the_next_signal(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        daemon = Daemon(
            ["/bin/sh", "-c", "trap '' INT; echo ready; while :; do sleep 0.1; done"],
            user=os_users.from_uid(os.geteuid()),
            log=log,
        )
    until(lambda: (tmp_path / "log").read_text() == "ready\n", "the trap is set")
    daemon.stop([(signal.SIGINT, 0.05), (signal.SIGKILL, 60)])
    assert daemon.poll() == -signal.SIGKILL


def test_failed_start_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    with (tmp_path / "log").open("wb") as log, pytest.raises(FileNotFoundError):
        Daemon(
            [tmp_path / "absent"],
            user=os_users.from_uid(os.geteuid()),
            log=log,
            parent_watch=ParentWatch.KERNEL if sys.platform == "linux" else ParentWatch.PIPE,
        )
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a death")
def test_child_of_a_dead_parent_does_not_start() -> None:
    """The parent may die between the fork and the request to be told of it."""
    stranger = os.getppid()
    done = subprocess.run(
        ["/bin/echo", "started"], preexec_fn=subprocesses._signal_on_parent_death(stranger)
    )
    assert done.returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a death")
def test_kernel_watch_needs_a_single_main_thread() -> None:
    if threading.active_count() == 1:
        assert subprocesses.choose_parent_watch() is ParentWatch.KERNEL
    chosen: list[ParentWatch] = []
    thread = threading.Thread(target=lambda: chosen.append(subprocesses.choose_parent_watch()))
    thread.start()
    thread.join()
    assert chosen == [ParentWatch.PIPE]
