"""The server under test: a real process with a data directory of its own, killed and restarted."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

from tests.harness import data_folder, processes, scratch
from tests.harness.command import PROGRAM, inherited
from tests.harness.raw_http import HOST

KEY = "bootstrap-key-of-the-test-harness-0123456789"
OWNER = "local"
NOBODY = "http://127.0.0.1:9"
"""An address at which nobody answers: the services that a test does not configure are there."""
_SECRET = "secret-of-the-test-harness-0123456789-abcdef"
CALM_LEASE_S = 15.0
"""The product's own, where nothing is killed: a short one is renewed four times a second."""
Victim = Literal["parent", "worker", "postgres", "cluster", "both", "everything"]
_WATCHDOG_S = 60.0
_LIMITS = "failed=1000000/minute;anonymous=1000000/minute;native=1000000/minute"
"""No test is stopped by limits that it does not test."""
_UNEXPECTED = re.compile(r'"event": ?"(request_failed|stream_failed)"')


class ServerFailed(AssertionError):
    """It did not start, did not become ready or did not end; the end of its log says why."""


class Server:
    """`cartrita serve` on a free port; its data directory and port stay the same over restarts.

    `database_url` makes it a replica on a database that it does not start; `first` says that it
    makes its own, and does not find one that is migrated. Leases are 1.5 s long.
    """

    def __init__(
        self,
        *,
        provider_url: str,
        workers: int = 1,
        lease_s: float = 1.5,
        database_url: str | None = None,
        settings: Mapping[str, str] | None = None,
        first: bool = False,
    ) -> None:
        self.root = scratch.folder("cartrita-journey-")
        self.data_dir = self.root / "data"
        self.port = free_port()
        self.workers = workers
        self.lease_s = lease_s
        self._database_url = database_url
        self._first = first
        self._settings = {
            "CARTRITA_HOST": HOST,
            "CARTRITA_PORT": str(self.port),
            "CARTRITA_DATA_DIR": str(self.data_dir),
            "CARTRITA_WORKERS": str(workers),
            "CARTRITA_BOOTSTRAP_KEY": KEY,
            "CARTRITA_SECRET": _SECRET,
            "CARTRITA_DISCOVER_LOCAL": "0",
            "CARTRITA_RUN_LOG_LEASE_S": str(lease_s),
            "CARTRITA_SERVER_DRAIN_S": "1",  # tests leave runs that go on
            "CARTRITA_DEFAULT_MODEL": "openai/fake",
            "CARTRITA_INBOUND_LIMITS": _LIMITS,
            "CARTRITA_PROVIDER_LIMITS": "off",
            "CARTRITA_HISTORY_SUMMARIES": "false",  # the scripts in the messages are not for those
            "OPENAI_BASE_URL": provider_url,
            "OPENAI_API_KEY": "sk-of-the-fake-provider",
            "TAVILY_BASE_URL": NOBODY,
            "BRAVE_BASE_URL": NOBODY,
            "GITHUB_BASE_URL": NOBODY,
            "DEEPGRAM_BASE_URL": NOBODY,
            **({"CARTRITA_DATABASE_URL": database_url} if database_url else {}),
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._parent_watch: processes.ParentWatch | None = None
        self._socket = ("5432", "")
        self._starts = 0

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
            left = processes.wait_gone(self.data_dir, _WATCHDOG_S)
            if left and error is None:
                raise ServerFailed(f"processes were left behind: {left}\n{self.log_tail()}")
        finally:
            self._clean_up()

    @property
    def base(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log_path(self) -> Path:
        return self.root / f"server-{self._starts}.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    @property
    def tree(self) -> processes.Tree:
        parent = self._process.pid if self._process and self.running else None
        return processes.look(parent, self.data_dir)

    @property
    def dsn(self) -> str:
        """How tests reach its database, as the product does: by the password in the data folder."""
        if self._database_url:
            return self._database_url
        cluster = processes.cluster_folder(self.data_dir)
        with suppress(FileNotFoundError, IndexError):  # while it is down, where it was
            lines = (cluster / "postmaster.pid").read_text().splitlines()
            self._socket = lines[3], lines[4]
        port, folder = self._socket
        password = quote((self.data_dir / "postgres.password").read_text().strip(), safe="")
        if folder:
            return f"postgresql://cartrita:{password}@/cartrita?host={quote(folder)}&port={port}"
        return f"postgresql://cartrita:{password}@{HOST}:{port}/cartrita"

    def change(self, settings: Mapping[str, str]) -> None:
        """Other settings, from the next start on."""
        self._settings |= settings

    def wait_until_gone(self) -> list[str]:
        """Wait for the end of all of its processes; those that stay, as sentences."""
        return processes.wait_gone(self.data_dir, _WATCHDOG_S)

    def start(self) -> None:
        """Start it and return at once."""
        self._release_parent_watch()
        if not (self._first or self._database_url or self.data_dir.exists()):
            data_folder.copy_to(self.data_dir)
        self._starts += 1
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.root,  # where no .env and no cartrita.toml of anybody lie
                env=self.environment,
                start_new_session=True,
            )
        self._parent_watch = processes.ParentWatch(self._process.pid)

    @property
    def environment(self) -> dict[str, str]:
        """The server's whole environment."""
        return {**inherited(), "HOME": str(self.root), **self._settings}

    def wait_ready(self, watchdog_s: float = _WATCHDOG_S) -> None:
        """Return when it says that it is ready; fails when it exits or never is."""
        deadline = time.monotonic() + watchdog_s
        while not self.ready():
            if not self.running:
                raise ServerFailed(f"it exited with {self.exit_code}\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"it was not ready after {watchdog_s} s\n{self.log_tail()}")
            time.sleep(0.02)

    def ready(self) -> bool:
        """Whether /ready answers 200."""
        try:
            with urllib.request.urlopen(f"{self.base}/ready", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def kill(self, victim: Victim) -> list[int]:
        """SIGKILL one worker, the parent, the postmaster, all of Postgres, or several at once."""
        tree = self.tree
        postmaster = () if tree.postmaster is None else (tree.postmaster,)
        parent = () if tree.parent is None else (tree.parent,)
        pids: dict[Victim, Sequence[int]] = {
            "parent": parent,
            "worker": tree.workers[:1] or parent,
            "postgres": postmaster,
            "cluster": tree.cluster,
            "both": (*parent, *postmaster),
            "everything": tree.all,
        }
        return self.send(pids[victim], signal.SIGKILL)

    def send(self, pids: Sequence[int], signum: signal.Signals) -> list[int]:
        reached = processes.send(pids, signum)
        if self._process is not None and signum == signal.SIGKILL and self._process.pid in reached:
            self._process.wait(_WATCHDOG_S)
        return reached

    def restart(self) -> None:
        """Start it again on its data directory, after it was killed, and wait until it is ready."""
        self.start()
        self.wait_ready()

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int | None:
        """Ask it to end and wait; its exit code."""
        if self._process is None:
            return None
        processes.send(self.tree.workers, signal.SIGCONT)  # one that a test has stopped
        with suppress(ProcessLookupError):
            self._process.send_signal(signum)
        try:
            return self._process.wait(_WATCHDOG_S * 2)
        except subprocess.TimeoutExpired:
            raise ServerFailed(f"it did not end\n{self.log_tail()}") from None

    def log_tail(self, size: int = 4000) -> str:
        """The end of its latest log."""
        try:
            return self.log_path.read_bytes()[-size:].decode("utf-8", "replace")
        except FileNotFoundError:
            return "(no log)"

    def unexpected_errors(self) -> list[str]:
        """Every error in its logs that the product did not expect, with its traceback."""
        return [
            line
            for path in sorted(self.root.glob("server-*.log"))
            for line in path.read_text("utf-8", "replace").splitlines()
            if _UNEXPECTED.search(line)
        ]

    def _release_parent_watch(self) -> None:
        if self._parent_watch is not None:
            self._parent_watch.release()
            self._parent_watch = None

    def _clean_up(self) -> None:
        processes.send(self.tree.all, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(_WATCHDOG_S)
        self._release_parent_watch()
        left = processes.wait_gone(self.data_dir, _WATCHDOG_S)
        if not left and not os.environ.get("HARNESS_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
