"""How children start and what becomes of them."""

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

from cartrita.adapters.postgres import Supervisor, accounts, children
from cartrita.adapters.postgres.children import Daemon, Deathwatch


def watchers_of(word: str) -> list[int]:
    """Shells that have this word on their command line."""
    return [
        process.pid
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "sh" and word in (process.info["cmdline"] or [])
    ]


def test_nothing_of_our_environment_is_handed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGOPTIONS", "LD_LIBRARY_PATH", "SECRET"):
        monkeypatch.setenv(name, "leaked")
    said = children.run(["/usr/bin/env"], variables={"PGUSER": "given"})
    assert "leaked" not in said.stdout
    assert "PGUSER=given" in said.stdout


def test_what_a_program_said_last_is_kept() -> None:
    failed = children.run(["/bin/sh", "-c", "echo one >&2; echo two >&2; exit 3"])
    assert (failed.ok, failed.code, failed.last_line) == (False, 3, "two")
    assert children.run(["/bin/sh", "-c", "exit 4"]).last_line == "exit code 4"


def test_the_watcher_goes_with_what_it_watches(
    serve: Callable[..., Supervisor], workspace: Path
) -> None:
    supervisor = serve(deathwatch=Deathwatch.LEASH)
    supervisor.start()
    cluster = str(workspace / "data" / "postgres")
    assert len(watchers_of(cluster)) == 1
    supervisor.stop()
    until(lambda: not watchers_of(cluster), "the watcher went")


def test_a_watcher_that_was_killed_is_not_missed(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        daemon = Daemon(
            ["/bin/sleep", "300.25"],
            account=accounts.of_owner(os.geteuid()),
            log=log,
            deathwatch=Deathwatch.LEASH,
        )
    until(lambda: watchers_of("300.25"), "the watcher is there")
    for pid in watchers_of("300.25"):
        os.kill(pid, signal.SIGKILL)
    assert daemon.poll() is None
    daemon.end([(signal.SIGTERM, 60)])
    assert daemon.poll() == -signal.SIGTERM


def test_a_daemon_that_does_not_listen_is_ended_by_the_next_signal(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        daemon = Daemon(
            ["/bin/sh", "-c", "trap '' INT; echo ready; while :; do sleep 0.1; done"],
            account=accounts.of_owner(os.geteuid()),
            log=log,
        )
    until(lambda: (tmp_path / "log").read_text() == "ready\n", "the trap is set")
    daemon.end([(signal.SIGINT, 0.05), (signal.SIGKILL, 60)])
    assert daemon.poll() == -signal.SIGKILL


def test_a_program_that_cannot_run_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    with (tmp_path / "log").open("wb") as log, pytest.raises(FileNotFoundError):
        Daemon(
            [tmp_path / "absent"],
            account=accounts.of_owner(os.geteuid()),
            log=log,
            deathwatch=Deathwatch.KERNEL if sys.platform == "linux" else Deathwatch.LEASH,
        )
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a death")
def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    """The parent may die between the fork and the request to be told of it."""
    stranger = os.getppid()
    done = subprocess.run(["/bin/echo", "started"], preexec_fn=children._end_with(stranger))
    assert done.returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a death")
def test_the_kernels_watch_is_only_for_a_main_thread_that_is_alone() -> None:
    if threading.active_count() == 1:
        assert children.fitting_deathwatch() is Deathwatch.KERNEL
    chosen: list[Deathwatch] = []
    thread = threading.Thread(target=lambda: chosen.append(children.fitting_deathwatch()))
    thread.start()
    thread.join()
    assert chosen == [Deathwatch.LEASH]
