"""One running PostgreSQL server: starting, probing and stopping it."""

import signal
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cartrita.adapters.postgres import errors, files
from cartrita.adapters.postgres.addresses import Address
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.data_layout import DataLayout
from cartrita.adapters.postgres.errors import StartTimeout
from cartrita.adapters.postgres.subprocesses import Daemon, ParentWatch

_POLL_S = 0.01
_KILL_TIMEOUT_S = 5.0
_PROBE_TIMEOUT_S = 5.0
_PROTOCOL_3 = 196_608
_CANNOT_CONNECT_NOW = b"C57P03\0"
# On the command line, so that they hold whatever the configuration files say.
_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "min_wal_size": "80MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "jit": "off",
    # Parallel queries share memory in /dev/shm, of which a container has 64 MB: they would fail.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "cartrita",
    "password_encryption": "scram-sha-256",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "lc_messages": "C",
    # A row or a statement in the log could be somebody's message.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
}


class ServerStatus(Enum):
    """How a server answers a connection attempt."""

    READY = "ready"
    REJECTING = "rejecting"  # starting up, recovering or shutting down
    NO_RESPONSE = "no response"


@dataclass(frozen=True)
class LaunchOptions:
    """Everything needed to start this server, and to restart it."""

    binaries: Binaries
    layout: DataLayout
    address: Address
    log: Path
    max_connections: int
    start_timeout_s: float
    parent_watch: ParentWatch | None = None


class Server:
    """A server process that is a child of ours."""

    def __init__(self, launch: LaunchOptions) -> None:
        self._launch = launch
        with files.open_log(launch.log) as log:
            self._daemon = Daemon(
                _command(launch),
                user=launch.layout.user,
                log=log,
                parent_watch=launch.parent_watch,
            )

    @property
    def pid(self) -> int:
        return self._daemon.pid

    def poll(self) -> int | None:
        """Its exit code once it has ended, else None."""
        return self._daemon.poll()

    def status(self) -> ServerStatus:
        """How it answers a connection attempt."""
        return probe(self._launch.address)

    def wait_until_ready(self) -> None:
        """Return when it accepts connections. Raises PostgresError with the cause."""
        deadline = time.monotonic() + self._launch.start_timeout_s
        while self.status() is not ServerStatus.READY:
            output = files.read_tail(self._launch.log)
            if self.poll() is not None:
                raise errors.from_output(
                    "PostgreSQL did not start",
                    output,
                    self._launch.layout.cluster,
                    self._launch.log.parent,
                )
            if time.monotonic() > deadline:
                raise StartTimeout(
                    f"PostgreSQL was not ready after {self._launch.start_timeout_s:g} seconds; "
                    f"its last words in {self._launch.log}: {errors.last_error_line(output)}"
                )
            time.sleep(_POLL_S)

    def stop(self, timeout_s: float) -> None:
        """Fast shutdown within `timeout_s`, then immediate shutdown, then SIGKILL."""
        self._daemon.stop(
            [
                (signal.SIGINT, timeout_s),
                (signal.SIGQUIT, _KILL_TIMEOUT_S),
                (signal.SIGKILL, _KILL_TIMEOUT_S),
            ]
        )


def _command(launch: LaunchOptions) -> list[str | Path]:
    settings = {
        **_SETTINGS,
        "max_connections": str(launch.max_connections),
        **launch.address.settings(),
    }
    words: list[str | Path] = [launch.binaries.program("postgres"), "-D", launch.layout.cluster]
    for name, value in settings.items():
        words += ["-c", f"{name}={value}"]
    return words


def probe(address: Address) -> ServerStatus:
    """Connect without a password, as any client does.

    Any answer but "cannot connect now" comes from a working server.
    """
    body = struct.pack(">I", _PROTOCOL_3) + b"user\0cartrita\0database\0cartrita\0\0"
    try:
        with _connect(address) as connection:
            connection.sendall(struct.pack(">I", len(body) + 4) + body)
            return _read_status(connection)
    except OSError:
        return ServerStatus.NO_RESPONSE


def _connect(address: Address) -> socket.socket:
    path = address.socket_path
    if path is None:
        return socket.create_connection((address.host, address.port), timeout=_PROBE_TIMEOUT_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_PROBE_TIMEOUT_S)
    try:
        connection.connect(str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def _read_status(connection: socket.socket) -> ServerStatus:
    answer = connection.recv(4096)
    if not answer:
        return ServerStatus.NO_RESPONSE
    # An error response may also say "too many connections" or "no such role": that server works.
    refused = answer[:1] == b"E" and _CANNOT_CONNECT_NOW in answer
    return ServerStatus.REJECTING if refused else ServerStatus.READY
