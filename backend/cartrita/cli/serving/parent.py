"""The parent's loop: it configures the workers, watches them and PostgreSQL, handles no request."""

import socket

import structlog

from cartrita.adapters.postgres.supervisor import Supervisor
from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import InstanceFiles
from cartrita.cli.serving.worker_protocol import Prepared, Refused, Serving, WorkerConfig
from cartrita.cli.serving.workers import WorkerPool
from cartrita.settings import Settings

log = structlog.get_logger()

_WATCH_S = 0.2


class Parent:
    """Configures the workers, brings back what died, and says when the server is ready."""

    def __init__(
        self,
        settings: Settings,
        instance: InstanceFiles,
        dsn: str,
        listener: socket.socket,
        pool: WorkerPool,
        supervisor: Supervisor | None,
    ) -> None:
        self._settings = settings
        self._instance = instance
        self._dsn = dsn
        self._listener = listener
        self._pool = pool
        self._supervisor = supervisor
        self._serving: set[int] = set()

    def run(self) -> None:
        """Until something raises. Raises CommandError, PostgresError."""
        self._pool.workers[0].configure(self._config(0, first=True))
        prepared = self._wait_until_prepared()
        for slot, worker in self._pool.workers.items():
            if slot:
                worker.configure(self._config(slot, first=False))
        while len(self._serving) < len(self._pool.workers):
            self._watch()
        self._announce(prepared)
        while True:
            self._watch()

    def _wait_until_prepared(self) -> Prepared:
        while True:
            for _, message in self._pool.listen(_WATCH_S):
                match message:
                    case Prepared():
                        return message
                    case Refused(sentence=sentence):
                        raise CommandError(sentence)
                    case Serving():
                        pass
            if 0 in self._pool.dead():
                raise CommandError("The server could not start; the log above says why.")

    def _watch(self) -> None:
        """Read what the workers send; bring back what has died."""
        for slot, message in self._pool.listen(_WATCH_S):
            if isinstance(message, Serving):
                self._serving.add(slot)
            elif isinstance(message, Refused):
                raise CommandError(message.sentence)
        if self._supervisor is not None and self._supervisor.poll() is not None:
            log.warning("postgres_died")
            self._supervisor.restart()
        for slot in self._pool.dead():
            self._pool.replace(slot).configure(self._config(slot, first=False))

    def _config(self, slot: int, *, first: bool) -> WorkerConfig:
        return WorkerConfig(
            settings=self._settings.reveal_json(),
            dsn=self._dsn,
            secret=self._instance.secret.reveal(),
            instance=self._instance.instance,
            slot=slot,
            slots=len(self._pool.workers),
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
