"""Fixtures: folders that any user can enter, supervisors and parent processes in them."""

import json
import os
import pwd
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.harness import scratch

from cartrita.adapters.postgres import (
    Binaries,
    Supervisor,
    binary_copies,
    find,
    from_url,
    os_users,
    psql,
)

WATCHDOG_S = 60.0
_PARENT = Path(__file__).with_name("parent.py")
# Without rich, which structlog loads where it finds it, a parent comes up in half the time.
_BOOT = (
    "import runpy, sys; sys.modules['rich'] = None;"
    "runpy.run_path(sys.argv.pop(1), run_name='__main__')"
)
IS_ROOT = os.geteuid() == 0
# As root, who drops to nobody, and as an ordinary user; the second for what only repeats the first.
EVERYBODY = pytest.mark.parametrize("who", ["root", "ordinary"] if IS_ROOT else ["ordinary"])
ANYBODY = pytest.mark.parametrize(
    "who", ["ordinary", *([pytest.param("root", marks=pytest.mark.slow)] if IS_ROOT else [])]
)
AS_ROOT = pytest.mark.skipif(not IS_ROOT, reason="needs root: an ordinary user has no other user")


def until(condition: Callable[[], Any], what: str) -> None:
    """Poll, with a watchdog far beyond what it takes."""
    deadline = time.monotonic() + WATCHDOG_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


def postgres_in(cluster: Path) -> set[int]:
    """All processes that work in this folder, found independently of the code under test."""
    found: set[int] = set()
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and process.cwd() == os.path.realpath(cluster):
                found.add(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


class Parent:
    """One process that runs a supervisor; killed at the end of the test if it still lives."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.data_dir = Path(order["data_dir"])
        self._process = subprocess.Popen(
            [
                *order.pop("through", []),
                sys.executable,
                "-c",
                _BOOT,
                str(_PARENT),
                json.dumps(order),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid

    @property
    def cluster(self) -> Path:
        return Path(os.path.realpath(self.data_dir / "postgres"))

    def next_event(self) -> dict[str, Any]:
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], WATCHDOG_S)
        assert ready, "the parent wrote nothing"
        line = self._process.stdout.readline()
        assert line, "the parent ended without a word"
        return json.loads(line)

    def outcome(self) -> dict[str, Any]:
        """The event that its start ended with."""
        assert self.next_event() == {"event": "began"}
        return self.next_event()

    def started(self) -> dict[str, Any]:
        outcome = self.outcome()
        assert outcome["event"] == "started", outcome
        return outcome

    def refused(self) -> dict[str, Any]:
        outcome = self.outcome()
        assert outcome["event"] == "refused", outcome
        assert "\n" not in outcome["sentence"]
        return outcome

    def send(self, command: str) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self.next_event()

    def stop(self) -> None:
        assert self.send("stop") == {"event": "stopped"}
        assert self._process.wait(WATCHDOG_S) == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(WATCHDOG_S)

    def close(self) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()


@pytest.fixture(scope="session")
def commons() -> Iterator[Path]:
    """A folder for this session that every user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="cartrita-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def binaries(commons: Path) -> Binaries:
    """The default PostgreSQL, where an ordinary user can run it too."""
    user = os_users.choose("nobody")
    return binary_copies.ensure_runnable(find(), user, [commons / "fallback"])


@pytest.fixture
def workspace() -> Iterator[Path]:
    """A folder for one test, removed when no server works in it any more."""
    folder = scratch.folder("cartrita-test-")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(commons: Path, binaries: Binaries) -> Iterator[Path]:
    """A data directory with an empty database: copying it is quicker than initdb."""
    folder = scratch.folder("cartrita-test-")
    folder.chmod(0o755)
    supervisor = Supervisor(folder / "data", chosen=binaries, fallbacks=[commons / "fallback"])
    supervisor.start()
    supervisor.stop()
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


def fill(data_dir: Path, template: Path, *, owner: str) -> None:
    """A copy of the template, in root's case as if this owner had made it."""
    subprocess.run(["cp", "-a", str(template), str(data_dir)], check=True)
    if owner:
        subprocess.run(["chown", "-R", owner, str(data_dir)], check=True)


@pytest.fixture
def stored(workspace: Path, template: Path) -> Path:
    """A data directory that was used before and is not in use now."""
    fill(workspace / "data", template, owner="")
    return workspace / "data"


@pytest.fixture
def serve(
    workspace: Path, binaries: Binaries, template: Path
) -> Iterator[Callable[..., Supervisor]]:
    """Makes supervisors in this process, each on a database of its own."""
    made: list[Supervisor] = []

    def make(name: str = "data", *, empty: bool = False, **options: Any) -> Supervisor:
        if not empty:
            fill(workspace / name, template, owner="")
        options = {"chosen": binaries, "fallbacks": [workspace / "fallback"], **options}
        supervisor = Supervisor(workspace / name, **options)
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.stop()


@pytest.fixture
def parents(workspace: Path, binaries: Binaries, template: Path) -> Iterator[Callable[..., Parent]]:
    """Makes parents on `<workspace>/data`, by default as whoever runs the tests.

    That data directory has a database already, unless it shall be `empty`.
    """
    made: list[Parent] = []

    def make(
        data_dir: Path | None = None, *, who: str = "", empty: bool = False, **order: Any
    ) -> Parent:
        other = "nobody" if who == "ordinary" and IS_ROOT else ""
        order["become"] = other
        usual = data_dir is None
        data_dir = data_dir or workspace / "data"
        if usual and not data_dir.exists():
            if not empty:
                fill(data_dir, template, owner=other)
            elif other:
                data_dir.mkdir(mode=0o700)
                os.chown(data_dir, pwd.getpwnam(other).pw_uid, -1)
        order.setdefault("binaries", [str(binaries.folder), binaries.major])
        order.setdefault("fallbacks", str(workspace / "fallback"))
        parent = Parent({"data_dir": str(data_dir), **order})
        made.append(parent)
        return parent

    yield make
    for parent in made:
        parent.close()
    for parent in made:
        until(lambda parent=parent: not postgres_in(parent.cluster), "no process left behind")


@pytest.fixture
def sql(binaries: Binaries) -> Callable[[str, str], str]:
    """Run SQL at a DSN."""

    def run(dsn: str, script: str) -> str:
        return psql.run(binaries, from_url(dsn), script)

    return run
