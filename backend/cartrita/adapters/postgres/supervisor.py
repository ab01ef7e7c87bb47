"""The embedded PostgreSQL, from the point of view of the parent process that owns it."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from cartrita.adapters.postgres import (
    addresses,
    binaries,
    clusters,
    copies,
    endpoints,
    folders,
    passwords,
    places,
    processes,
    psql,
)
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.children import Deathwatch
from cartrita.adapters.postgres.endpoints import Endpoint
from cartrita.adapters.postgres.errors import ForeignMajor, StartFailed, refusing_os_errors
from cartrita.adapters.postgres.folders import OUTSIDE
from cartrita.adapters.postgres.liveness import Answer
from cartrita.adapters.postgres.locks import Lock
from cartrita.adapters.postgres.places import Place
from cartrita.adapters.postgres.servers import Launch, Server
from cartrita.kit.secret import Secret

_log = structlog.get_logger(__name__)


class Supervisor:
    """Starts, watches, restarts and stops the PostgreSQL of one data directory.

    Used from the parent's main thread; nothing here is asynchronous. Every refusal is a
    PostgresError whose text is one sentence for the user. A killed parent takes PostgreSQL with it.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        run_as: str = "nobody",
        start_timeout_s: float = 60,
        stop_timeout_s: float = 30,
        max_connections: int = 60,
        chosen: Binaries | None = None,
        outside: Sequence[Path] = OUTSIDE,
        deathwatch: Deathwatch | None = None,
        lock: Lock | None = None,
    ) -> None:
        """`lock` is one on `data_dir` that the caller holds and keeps; without it one is taken."""
        self._data_dir = Path(os.path.realpath(data_dir))
        self._run_as = run_as
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._max_connections = max_connections
        self._chosen = chosen
        self._outside = outside
        self._deathwatch = deathwatch
        self._lock_held = lock is not None
        self._locks: list[Lock] = []
        self._started = False
        self._launch: Launch | None = None
        self._server: Server | None = None

    def start(self) -> Endpoint:
        """Bring the database up, whatever state it was left in, and say how to reach it."""
        if self._started:
            raise RuntimeError("This supervisor has been started already.")
        self._started = True
        began = time.monotonic()
        try:
            with refusing_os_errors(self._data_dir):
                endpoint = self._start()
        except BaseException:
            self.stop()
            raise
        _log.info("postgres_started", pid=self.pid, seconds=round(time.monotonic() - began, 3))
        return endpoint

    @property
    def pid(self) -> int | None:
        """The server's process id; None when there is none."""
        return self._server.pid if self._server else None

    def poll(self) -> int | None:
        """The exit code of a server that has ended by itself, else None. Costs next to nothing."""
        return self._server.poll() if self._server else None

    def alive(self, *, timeout_s: float = 5.0) -> bool:
        """Whether the server answers connections at all (it may answer that it is recovering)."""
        server = self._server
        return (
            server is not None
            and server.poll() is None
            and server.answer(timeout_s=timeout_s) is not Answer.SILENT
        )

    def restart(self) -> None:
        """Up again at the same endpoint after it died or hung; its processes are gone first."""
        launch = self._launch
        if launch is None:
            raise RuntimeError("This supervisor has not been started.")
        with refusing_os_errors(self._data_dir):
            self._end_server()
            self._run(launch)
        _log.info("postgres_restarted", pid=self.pid)

    def stop(self) -> None:
        """Shut down in order and leave no process behind; may be called twice."""
        try:
            self._end_server()
        finally:
            if self._launch:
                self._launch.address.forget()
                self._launch = None
            while self._locks:
                self._locks.pop().release()
            self._started = False

    def _start(self) -> Endpoint:
        folders.make_data_dir(self._data_dir)
        if not self._lock_held:
            self._lock(self._data_dir)
        found = self._chosen or binaries.find()
        place = places.settle(self._data_dir, self._run_as, self._outside)
        if place.cluster.parent != self._data_dir:
            self._lock(place.cluster.parent)  # a copied data directory leads to the same database
        found = copies.reachable(found, place.account, self._outside)
        password = self._prepare(place, found)
        processes.evict(place.cluster, place.account, self._stop_timeout_s)
        launch = Launch(
            binaries=found,
            place=place,
            address=addresses.choose(place.cluster, place.account),
            log=self._data_dir / "postgres.log",
            max_connections=self._max_connections,
            start_timeout_s=self._start_timeout_s,
            deathwatch=self._deathwatch,
        )
        self._launch = launch
        self._run(launch)
        address = launch.address
        endpoint = endpoints.embedded(address.host, address.port, password)
        _ensure_database(found, endpoint)
        return endpoint

    def _lock(self, folder: Path) -> None:
        lock = Lock(folder)
        lock.acquire()
        self._locks.append(lock)

    def _prepare(self, place: Place, found: Binaries) -> Secret:
        """A database of the right version, with its password."""
        clusters.sweep(place)
        initialised = place.exists
        password = passwords.keep(self._data_dir, place.cluster, initialised=initialised)
        if not initialised:
            clusters.create(place, found, password)
        elif place.major != found.major:
            raise ForeignMajor(place.cluster, place.major, found.major)
        places.record(self._data_dir, place)
        return password

    def _run(self, launch: Launch) -> None:
        launch.address.clear()
        self._server = Server(launch)
        self._server.wait_until_ready()

    def _end_server(self) -> None:
        server, self._server = self._server, None
        if server:
            server.end(self._stop_timeout_s)
        if self._launch:
            # Children of a killed server may outlive it for a moment.
            place = self._launch.place
            processes.evict(place.cluster, place.account, self._stop_timeout_s)


def _ensure_database(found: Binaries, endpoint: Endpoint) -> None:
    """The role and the database, made if absent; the usual start only sees that they are there."""
    try:
        psql.run(found, endpoint, "SELECT 1")
    except psql.QueryFailed:
        administrator = replace(endpoint, user=clusters.SUPERUSER, database="postgres")
        name, password = psql.literal(endpoint.user), psql.literal(endpoint.password.reveal())
        try:
            psql.run(found, administrator, _ROLE_AND_DATABASE.format(name=name, password=password))
        except psql.QueryFailed as error:
            raise StartFailed(
                f"PostgreSQL runs, but its database {endpoint.database} cannot be used ({error}): "
                "if postgres.password in the data directory was changed, put the old one back."
            ) from error


# The role owns its database and nothing else: PostgreSQL's superuser can run programs.
_ROLE_AND_DATABASE = """
SELECT format('CREATE ROLE %I LOGIN', {name})
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) \\gexec
SELECT format('ALTER ROLE %I PASSWORD %L', {name}, {password}) \\gexec
SELECT format('CREATE DATABASE %I OWNER %I', {name}, {name})
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {name}) \\gexec
"""
