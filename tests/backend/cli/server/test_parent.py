"""The parent process, with small programs instead of workers."""

import socket
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cartrita.adapters.postgres.errors import DiskFull
from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import InstanceFiles
from cartrita.cli.server.parent import Parent
from cartrita.cli.server.worker_pool import WorkerPool
from cartrita.kit.secret import Secret
from cartrita.settings import Settings

PREPARES = """
import json, sys
if json.loads(sys.stdin.readline())["first"]:
    print('{"type":"prepared","sign_in_code":"","key":null}', flush=True)
"""
DIES_BEFORE_IT_SERVES = PREPARES + "raise SystemExit(3)"
REFUSES = """
print('{"type":"refused","sentence":"It is too early."}', flush=True)
raise SystemExit(0)
"""


SERVES = (
    PREPARES
    + """
print('{"type":"serving"}', flush=True)
sys.stdin.read()
"""
)


class FullDisk:
    """A PostgreSQL that has died, and for which there is room at the third restart."""

    shutting_down = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.restarts = 0

    def poll(self) -> int | None:
        if self.restarts == 3:
            raise CommandError("It was there again.")
        return 1

    def restart(self) -> None:
        self.restarts += 1
        if self.restarts < 3:
            raise DiskFull(self._folder)


def ending_of(program: str, folder: Path, supervisor: Any = None) -> str:
    """What a server says whose workers run this program."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        command = (sys.executable, "-c", program)
        pool = WorkerPool(2, [listener.fileno()], command=command, pause_s=0.0)
        files = InstanceFiles(Secret("secret"), uuid4())
        try:
            with pytest.raises(CommandError) as ended:
                Parent(
                    Settings(data_dir=folder),
                    files,
                    "",
                    [listener],
                    pool,
                    supervisor,
                    full_disk_pause_s=0.0,
                ).run()
        finally:
            pool.stop(60)
    return str(ended.value)


def test_workers_that_cannot_start_end_the_server(tmp_path: Path) -> None:
    assert "5 times" in ending_of(DIES_BEFORE_IT_SERVES, tmp_path)
    assert not (tmp_path / "address").exists()


def test_a_first_worker_that_dies_ends_the_server(tmp_path: Path) -> None:
    assert "could not start" in ending_of("raise SystemExit(3)", tmp_path)


def test_the_last_words_of_a_worker_are_heard(tmp_path: Path) -> None:
    assert ending_of(REFUSES, tmp_path) == "It is too early."


def test_a_database_whose_disk_is_full_is_waited_for(tmp_path: Path) -> None:
    full = FullDisk(tmp_path)
    assert ending_of(SERVES, tmp_path, full) == "It was there again."
    assert full.restarts == 3
