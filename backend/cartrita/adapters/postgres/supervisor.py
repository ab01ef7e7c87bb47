"""The supervisor of the embedded PostgreSQL: start, health, restart, stop."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from cartrita.adapters.postgres import (
    addresses,
    binaries,
    binary_copies,
    data_layout,
    endpoints,
    initdb,
    passwords,
    psql,
    server_processes,
    servers,
)
from cartrita.adapters.postgres.addresses import Address
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.data_layout import FALLBACK_DIRECTORIES, DataLayout
from cartrita.adapters.postgres.endpoints import DatabaseEndpoint
from cartrita.adapters.postgres.errors import MajorVersionMismatch, StartFailed, translate_os_errors
from cartrita.adapters.postgres.locks import Lock
from cartrita.adapters.postgres.servers import LaunchOptions, Server, ServerStatus
from cartrita.adapters.postgres.subprocesses import ParentWatch
from cartrita.kit.secret import Secret

log = structlog.get_logger(__name__)


class Supervisor:
    """Starts, watches, restarts and stops the PostgreSQL of one data directory.

    Used from the parent's main thread; nothing here is asynchronous. Every failure is a
    PostgresError whose text is one sentence for the user. PostgreSQL ends when its parent is
    killed.
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
        fallbacks: Sequence[Path] = FALLBACK_DIRECTORIES,
        parent_watch: ParentWatch | None = None,
        lock: Lock | None = None,
    ) -> None:
        """`chosen`: the programs, found if None. `fallbacks`: see data_layout.

        `lock`: one on `data_dir` that the caller holds and keeps; if None, one is taken.
        """
        self._data_dir = Path(os.path.realpath(data_dir))
        self._run_as = run_as
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._max_connections = max_connections
        self._chosen = chosen
        self._fallbacks = fallbacks
        self._parent_watch = parent_watch
        self._lock_held = lock is not None
        self._locks: list[Lock] = []
        self._started = False
        self._launch: LaunchOptions | None = None
        self._server: Server | None = None

    def start(self) -> DatabaseEndpoint:
        """Start the database, after a crash as well; its endpoint. Raises PostgresError."""
        if self._started:
            raise RuntimeError("This supervisor has been started already.")
        self._started = True
        began = time.monotonic()
        try:
            with translate_os_errors(self._data_dir):
                endpoint = self._start()
        except BaseException:
            self.stop()
            raise
        log.info("postgres_started", pid=self.pid, seconds=round(time.monotonic() - began, 3))
        return endpoint

    @property
    def pid(self) -> int | None:
        """The server's process id; None when there is none."""
        return self._server.pid if self._server else None

    def poll(self) -> int | None:
        """The exit code of a server that has ended by itself, else None. Cheap."""
        return self._server.poll() if self._server else None

    @property
    def shutting_down(self) -> bool:
        """Whether somebody else told it to stop: it waits for its clients, and refuses new ones."""
        if self._server is None or self._launch is None:
            return False
        try:
            pid_file = server_processes.postmaster_file(self._launch.layout.cluster)
            return pid_file.read_text().splitlines()[7:8] == ["stopping"]
        except OSError:
            return False  # it has ended, or is about to

    def restart(self) -> None:
        """Start it again at the same endpoint after it died or hung. Raises PostgresError.

        Its old processes are ended first.
        """
        launch = self._launch
        if launch is None:
            raise RuntimeError("This supervisor has not been started.")
        with translate_os_errors(self._data_dir):
            self._stop_server()
            self._run(launch)
        log.info("postgres_restarted", pid=self.pid)

    def stop(self) -> None:
        """Shut down orderly and leave no process behind; may be called twice."""
        try:
            self._stop_server()
        finally:
            if self._launch:
                self._launch.address.remove_directory()
                self._launch = None
            while self._locks:
                self._locks.pop().release()
            self._started = False

    def _start(self) -> DatabaseEndpoint:
        data_layout.make_data_dir(self._data_dir)
        if not self._lock_held:
            self._lock(self._data_dir)
        found = self._chosen or binaries.find()
        layout = data_layout.resolve(self._data_dir, self._run_as, self._fallbacks)
        if layout.cluster.parent != self._data_dir:
            self._lock(layout.cluster.parent)  # a copied data directory leads to the same database
        found = binary_copies.ensure_runnable(found, layout.user, self._fallbacks)
        password = self._prepare(layout, found)
        server_processes.terminate(layout.cluster, layout.user, self._stop_timeout_s)
        launch = LaunchOptions(
            binaries=found,
            layout=layout,
            address=addresses.choose(layout.cluster, layout.user),
            log=self._data_dir / "postgres.log",
            max_connections=self._max_connections,
            start_timeout_s=self._start_timeout_s,
            parent_watch=self._parent_watch,
        )
        self._launch = launch
        self._run(launch)
        address = launch.address
        endpoint = endpoints.embedded(address.host, address.port, password)
        _ensure_database(found, endpoint)
        _ensure_pgvector(found, endpoint)
        return endpoint

    def _lock(self, folder: Path) -> None:
        lock = Lock(folder)
        lock.acquire()
        self._locks.append(lock)

    def _prepare(self, layout: DataLayout, found: Binaries) -> Secret:
        """Create the cluster if absent, check its version; its password."""
        initdb.remove_drafts(layout)
        initialised = layout.exists
        password = passwords.load_password(self._data_dir, layout.cluster, initialised=initialised)
        if not initialised:
            initdb.create(layout, found, password)
        elif layout.major != found.major:
            raise MajorVersionMismatch(layout.cluster, layout.major, found.major)
        data_layout.link_cluster(self._data_dir, layout)
        return password

    def _run(self, launch: LaunchOptions) -> None:
        launch.address.remove_stale_socket()
        self._server = Server(launch)
        self._server.wait_until_ready()

    def _stop_server(self) -> None:
        server, self._server = self._server, None
        if server:
            server.stop(self._stop_timeout_s)
        if self._launch:
            # Children of a killed server may outlive it for a moment.
            layout = self._launch.layout
            server_processes.terminate(layout.cluster, layout.user, self._stop_timeout_s)


def attach(data_dir: Path) -> DatabaseEndpoint | None:
    """The endpoint of a server that another process runs on `data_dir`; None if none answers.

    For a backup while work goes on.
    """
    data_dir = Path(os.path.realpath(data_dir))
    with translate_os_errors(data_dir):
        cluster = data_layout.find_cluster(data_dir)
        address = _recorded_address(cluster) if cluster else None
        if cluster is None or address is None or servers.probe(address) is not ServerStatus.READY:
            return None
        password = passwords.load_password(data_dir, cluster, initialised=True)
    return endpoints.embedded(address.host, address.port, password)


def _recorded_address(cluster: Path) -> Address | None:
    """From postmaster.pid: process id, folder, start time, port, socket's folder, TCP address."""
    try:
        lines = server_processes.postmaster_file(cluster).read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 6:
        return None
    port, folder, tcp = lines[3:6]
    return Address(folder or tcp, int(port))


def _ensure_database(found: Binaries, endpoint: DatabaseEndpoint) -> None:
    """Create the role and the database if absent."""
    try:
        psql.run(found, endpoint, "SELECT 1")
    except psql.QueryFailed:
        administrator = replace(endpoint, user=initdb.SUPERUSER, database="postgres")
        name, password = psql.literal(endpoint.user), psql.literal(endpoint.password.reveal())
        try:
            psql.run(found, administrator, _ROLE_AND_DATABASE.format(name=name, password=password))
        except psql.QueryFailed as error:
            raise StartFailed(
                f"PostgreSQL runs, but its database {endpoint.database} cannot be used ({error}): "
                "if postgres.password in the data directory was changed, put the old one back."
            ) from error


def _ensure_pgvector(found: Binaries, endpoint: DatabaseEndpoint) -> None:
    """Create the extension if the server has it; without it vectors are compared elsewhere."""
    try:
        if psql.run(found, endpoint, _LACKS_PGVECTOR) == "t":
            psql.run(found, replace(endpoint, user=initdb.SUPERUSER), "CREATE EXTENSION vector")
    except psql.QueryFailed as error:
        log.warning("pgvector_not_created", error=str(error))


_LACKS_PGVECTOR = """
SELECT EXISTS (
  SELECT FROM pg_available_extensions WHERE name = 'vector' AND installed_version IS NULL
)"""

# The role owns its database and nothing else: PostgreSQL's superuser can run programs.
_ROLE_AND_DATABASE = """
SELECT format('CREATE ROLE %I LOGIN', {name})
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) \\gexec
SELECT format('ALTER ROLE %I PASSWORD %L', {name}, {password}) \\gexec
SELECT format('CREATE DATABASE %I OWNER %I', {name}, {name})
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {name}) \\gexec
"""
