"""`cartrita serve`: the parent process, which owns the data directory, PostgreSQL and workers.

It handles no requests. On Ctrl-C and SIGTERM the workers drain, then PostgreSQL stops. If the
parent is killed, the workers notice the end of their input, and the kernel signals PostgreSQL.
"""

import argparse
import os
import signal
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import structlog

from cartrita.adapters.postgres.data_layout import make_data_dir
from cartrita.adapters.postgres.errors import translate_os_errors
from cartrita.adapters.postgres.locks import Lock
from cartrita.adapters.postgres.supervisor import Supervisor
from cartrita.adapters.processes.memory_files import memory_file
from cartrita.assembly.connection_count import connection_count
from cartrita.cli.configured_endpoint import configured_endpoint
from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import open_instance_files
from cartrita.cli.server.parent import Parent
from cartrita.cli.server.worker_pool import WorkerPool
from cartrita.cli.server_address import listening_ports
from cartrita.settings import Settings

log = structlog.get_logger(__name__)

_SUPERUSER_CONNECTIONS = 3
"""Connections that PostgreSQL keeps for its superuser."""


class _Stop(BaseException):
    """SIGTERM or SIGINT."""


def run(settings: Settings, _: argparse.Namespace) -> None:
    """Run until a signal stops it. Raises OperatorError, OSError."""
    with ExitStack() as stack, _stopping_on_signals():
        try:
            _serve(settings, stack)
        except _Stop:
            log.info("stopping")


def _serve(settings: Settings, stack: ExitStack) -> None:
    """Resources are closed in reverse order: workers drain while their database still runs."""
    lock = stack.enter_context(_locked(settings.data_dir))
    files = open_instance_files(settings)
    database = _Database(settings, lock)
    listeners = [
        stack.enter_context(_listening(settings.server.host, port, name))
        for name, port in listening_ports(settings).items()
    ]
    stack.callback(database.stop)
    # Workers import while PostgreSQL starts; they wait for their configuration.
    shared = _shared_files(settings, stack)
    pool = WorkerPool(settings.server.workers, [*(each.fileno() for each in listeners), *shared])
    stack.callback(lambda: pool.stop(settings.server.exit_s))
    dsn = database.start()
    Parent(settings, files, dsn, listeners, pool, database.supervisor, shared).run()


def _shared_files(settings: Settings, stack: ExitStack) -> list[int]:
    """The descriptors of a file in memory for each worker, by which they tell their metrics."""
    if not settings.metrics.enabled:
        return []
    workers = range(settings.server.workers)
    return [stack.enter_context(memory_file()).fileno() for _ in workers]


class _Database:
    """The configured database, or the embedded one."""

    def __init__(self, settings: Settings, lock: Lock) -> None:
        self.supervisor: Supervisor | None = None
        self._dsn = ""
        if settings.database.url is not None:
            self._dsn = configured_endpoint(settings.database.url).dsn()
            return
        most = max(
            settings.postgres.max_connections, connection_count(settings) + _SUPERUSER_CONNECTIONS
        )
        self.supervisor = Supervisor(
            settings.data_dir,
            run_as=settings.postgres.run_as,
            start_timeout_s=settings.postgres.start_timeout_s,
            max_connections=most,
            lock=lock,
        )

    def start(self) -> str:
        """Start it if it is embedded; returns its DSN."""
        return self._dsn if self.supervisor is None else self.supervisor.start().dsn()

    def stop(self) -> None:
        if self.supervisor is not None:
            self.supervisor.stop()


@contextmanager
def _locked(data_dir: Path) -> Generator[Lock]:
    """Lock the data directory for this process. Raises DataDirectoryError."""
    lock = Lock(Path(os.path.realpath(data_dir)))
    with translate_os_errors(data_dir):
        make_data_dir(data_dir)
        lock.acquire()
    try:
        yield lock
    finally:
        lock.release()


@contextmanager
def _listening(host: str, port: int, variable: str) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host} port {port} ({error.strerror}): stop what uses it, or "
                f"choose another with {variable}."
            ) from error
        listener.listen(2048)
        yield listener


@contextmanager
def _stopping_on_signals() -> Generator[None]:
    """The first signal stops the server in order; later ones are ignored meanwhile."""

    # A terminal that closes stops the server, unless `nohup` said otherwise.
    hang_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    numbers = (signal.SIGTERM, signal.SIGINT, *hang_up)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise _Stop

    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
