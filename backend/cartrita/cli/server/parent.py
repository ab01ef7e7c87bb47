"""The parent process: it configures and watches the workers and PostgreSQL, no requests."""

import socket
import time
from collections.abc import Sequence

import structlog

from cartrita.adapters.postgres.errors import DiskFull, StartFailed
from cartrita.adapters.postgres.supervisor import Supervisor
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import InstanceFiles
from cartrita.cli.server.worker_messages import Prepared, Refused, Serving, WorkerConfig
from cartrita.cli.server.worker_pool import WorkerPool
from cartrita.cli.server_address import browser_url, remove_address, write_address
from cartrita.settings import Settings

log = structlog.get_logger(__name__)

_POLL_S = 0.2
_MAX_DATABASE_RESTARTS = 5
_MAX_FAILED_STARTS = 5
"""The server gives up when so many workers in a row ended before they served."""


class Parent:
    """Configures the workers, restarts what died, and reports when the server is ready."""

    def __init__(
        self,
        settings: Settings,
        instance: InstanceFiles,
        dsn: str,
        listeners: Sequence[socket.socket],
        pool: WorkerPool,
        supervisor: Supervisor | None,
        shared: Sequence[int] = (),
        *,
        full_disk_pause_s: float = 5.0,
    ) -> None:
        """`shared` are the descriptors of files that the workers share.

        `full_disk_pause_s`: after what time PostgreSQL is started again on a full disk."""
        self._settings = settings
        self._instance = instance
        self._dsn = dsn
        self._listeners = listeners
        self._pool = pool
        self._supervisor = supervisor
        self._shared = tuple(shared)
        self._full_disk_pause_s = full_disk_pause_s
        self._restart_at: float | None = None
        """While PostgreSQL has no room to start; monotonic."""
        self._serving: set[int] = set()

    def run(self) -> None:
        """Run until an error or a signal ends it. Raises CommandError, PostgresError."""
        self._pool.configure(0, self._config(0, first=True))
        prepared = self._wait_until_prepared()
        for slot in range(1, self._pool.size):
            self._pool.configure(slot, self._config(slot, first=False))
        while len(self._serving) < self._pool.size:
            self._watch()
            if self._pool.failed_starts >= _MAX_FAILED_STARTS:
                raise CommandError(
                    f"A worker ended {_MAX_FAILED_STARTS} times before it could serve; "
                    "the log above says why."
                )
        address = browser_url(*self._listeners[0].getsockname()[:2])
        write_address(self._settings.data_dir, address)
        try:
            _announce(address, prepared)
            while True:
                self._watch()
        finally:
            remove_address(self._settings.data_dir)

    def _wait_until_prepared(self) -> Prepared:
        while True:
            dead = self._pool.dead()  # determined first, so that their last messages are still read
            for _, message in self._pool.listen(_POLL_S):
                match message:
                    case Prepared():
                        return message
                    case Refused(sentence=sentence):
                        raise CommandError(sentence)
                    case Serving():
                        pass
            if 0 in dead:
                raise CommandError("The server could not start; the log above says why.")

    def _watch(self) -> None:
        """Read messages of the workers; restart processes that died."""
        dead = self._pool.dead()
        for slot, message in self._pool.listen(_POLL_S):
            if isinstance(message, Serving):
                self._serving.add(slot)
            elif isinstance(message, Refused):
                raise CommandError(message.sentence)
        if self._supervisor is not None:
            self._watch_database(self._supervisor)
        for slot in self._pool.replace(dead):
            self._pool.configure(slot, self._config(slot, first=False))

    def _watch_database(self, supervisor: Supervisor) -> None:
        """Restart PostgreSQL if it died; while its disk is full, now and then."""
        if self._restart_at is not None:
            if time.monotonic() < self._restart_at:
                return
        elif supervisor.poll() is None and not supervisor.shutting_down:
            return
        else:
            log.warning("postgres_died")
        try:
            self._restart_database(supervisor)
        except DiskFull as error:
            log.error("postgres_disk_full", error=str(error))
            self._restart_at = time.monotonic() + self._full_disk_pause_s
        else:
            self._restart_at = None

    def _restart_database(self, supervisor: Supervisor) -> None:
        """Start PostgreSQL again, several times if it dies while starting."""
        for left in reversed(range(_MAX_DATABASE_RESTARTS)):
            try:
                return supervisor.restart()
            except StartFailed as error:
                if not left:
                    raise
                log.warning("postgres_died_again", error=type(error).__name__)
        return None

    def _config(self, slot: int, *, first: bool) -> WorkerConfig:
        return WorkerConfig(
            settings=self._settings.reveal_json(),
            dsn=self._dsn,
            secret=self._instance.secret.reveal(),
            slot=WorkerSlot(self._instance.instance, slot, self._pool.size),
            sockets=tuple(listener.fileno() for listener in self._listeners),
            shared=self._shared,
            first=first,
        )


def _announce(address: str, prepared: Prepared) -> None:
    print(f"Cartrita listens on {address}")
    if prepared.key is not None:
        print(f"Your key, shown this once: {prepared.key}")
    print(f"Sign in within ten minutes: {address}/#code={prepared.sign_in_code}")
    print("ready", flush=True)
