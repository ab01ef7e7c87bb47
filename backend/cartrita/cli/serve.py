"""`cartrita serve`: the parent of a server, which owns its data, PostgreSQL, socket and workers.

It handles no request. Ctrl-C and SIGTERM come here; workers drain, then PostgreSQL stops. When the
parent is killed, the workers see their input end and PostgreSQL is told by the kernel.
"""

import argparse
import signal
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from types import FrameType

import structlog

from cartrita.adapters.postgres.endpoints import from_url
from cartrita.adapters.postgres.locks import Lock
from cartrita.adapters.postgres.supervisor import Supervisor
from cartrita.assembly.budget import connections
from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import open_instance_files
from cartrita.cli.serving.parent import Parent
from cartrita.cli.serving.workers import WorkerPool
from cartrita.settings import Settings

log = structlog.get_logger()

_RESERVED = 3
"""Connections that PostgreSQL keeps for its superuser."""


class _Stop(BaseException):
    """SIGTERM or SIGINT."""


def run(settings: Settings, _: argparse.Namespace) -> None:
    """Run until told to stop. Raises CommandError, PostgresError, OSError."""
    with ExitStack() as stack, _stopping_on_signals():
        try:
            listener = stack.enter_context(_listening(settings))
            pool = WorkerPool(settings.server.workers, listener.fileno())
            stack.callback(lambda: pool.stop(settings.server.exit_s))
            supervisor, dsn = _database(settings, stack)
            Parent(settings, open_instance_files(settings), dsn, listener, pool, supervisor).run()
        except _Stop:
            log.info("stopping")


def _database(settings: Settings, stack: ExitStack) -> tuple[Supervisor | None, str]:
    """The configured database, or our own; either way nobody else uses the data directory."""
    if settings.database.url is not None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        lock = Lock(settings.data_dir)
        lock.acquire()
        stack.callback(lock.release)
        return None, from_url(settings.database.url.reveal()).dsn()
    supervisor = Supervisor(
        settings.data_dir,
        run_as=settings.postgres.run_as,
        start_timeout_s=settings.postgres.start_timeout_s,
        max_connections=max(settings.postgres.max_connections, connections(settings) + _RESERVED),
    )
    endpoint = supervisor.start()
    stack.callback(supervisor.stop)
    return supervisor, endpoint.dsn()


@contextmanager
def _listening(settings: Settings) -> Generator[socket.socket]:
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host} port {port} ({error.strerror}): stop what uses it, or "
                "choose another with CARTRITA_PORT."
            ) from error
        listener.listen(2048)
        yield listener


@contextmanager
def _stopping_on_signals() -> Generator[None]:
    """The first signal stops in order; while stopping, a second one is not needed and ignored."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise _Stop

    before = [signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
