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
from cartrita.cli.brief import Brief, Prepared, Refused, Serving
from cartrita.cli.crew import Crew
from cartrita.cli.home import Home, open_home
from cartrita.cli.refusal import Refusal
from cartrita.settings import Settings

log = structlog.get_logger()

_WATCH_S = 0.2
_RESERVED = 3
"""Connections that PostgreSQL keeps for its superuser."""


class _Stop(BaseException):
    """SIGTERM or SIGINT."""


def run(settings: Settings, _: argparse.Namespace) -> None:
    """Run until told to stop. Raises Refusal, PostgresError, OSError."""
    with ExitStack() as stack, _stopping_on_signals():
        try:
            listener = stack.enter_context(_listening(settings))
            crew = Crew(settings.server.workers, listener.fileno())
            stack.callback(lambda: crew.stop(settings.server.exit_s))
            supervisor, dsn = _database(settings, stack)
            _Parent(settings, open_home(settings), dsn, listener, crew, supervisor).run()
        except _Stop:
            log.info("stopping")


class _Parent:
    def __init__(
        self,
        settings: Settings,
        home: Home,
        dsn: str,
        listener: socket.socket,
        crew: Crew,
        supervisor: Supervisor | None,
    ) -> None:
        self._settings = settings
        self._home = home
        self._dsn = dsn
        self._listener = listener
        self._crew = crew
        self._supervisor = supervisor
        self._serving: set[int] = set()

    def run(self) -> None:
        self._crew.workers[0].tell(self._brief(0, first=True))
        prepared = self._hear_prepared()
        for slot, worker in self._crew.workers.items():
            if slot:
                worker.tell(self._brief(slot, first=False))
        while len(self._serving) < len(self._crew.workers):
            self._watch()
        self._announce(prepared)
        while True:
            self._watch()

    def _hear_prepared(self) -> Prepared:
        while True:
            for _, word in self._crew.listen(_WATCH_S):
                match word:
                    case Prepared():
                        return word
                    case Refused(sentence=sentence):
                        raise Refusal(sentence)
                    case Serving():
                        pass
            if 0 in self._crew.dead():
                raise Refusal("The server could not start; the log above says why.")

    def _watch(self) -> None:
        """Hear the workers; bring back what has died."""
        for slot, word in self._crew.listen(_WATCH_S):
            if isinstance(word, Serving):
                self._serving.add(slot)
            elif isinstance(word, Refused):
                raise Refusal(word.sentence)
        if self._supervisor is not None and self._supervisor.poll() is not None:
            log.warning("postgres_died")
            self._supervisor.restart()
        for slot in self._crew.dead():
            self._crew.replace(slot).tell(self._brief(slot, first=False))

    def _brief(self, slot: int, *, first: bool) -> Brief:
        return Brief(
            settings=self._settings.reveal_json(),
            dsn=self._dsn,
            secret=self._home.secret.reveal(),
            instance=self._home.instance,
            slot=slot,
            slots=len(self._crew.workers),
            socket=self._listener.fileno(),
            first=first,
        )

    def _announce(self, prepared: Prepared) -> None:
        host, port = self._listener.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        print(f"Cartrita listens on {address}")
        if prepared.key is not None:
            print(f"Your key, shown this once: {prepared.key}")
        print(f"Sign in within ten minutes: {address}/#code={prepared.sign_in_code}")
        print("ready", flush=True)


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
            raise Refusal(
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
