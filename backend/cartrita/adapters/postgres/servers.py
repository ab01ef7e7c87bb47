"""One running PostgreSQL server: launched, waited for, asked, ended."""

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cartrita.adapters.postgres import diagnosis, liveness, log_files
from cartrita.adapters.postgres.addresses import Address
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.children import Daemon, Deathwatch
from cartrita.adapters.postgres.errors import StartTimeout
from cartrita.adapters.postgres.liveness import Answer
from cartrita.adapters.postgres.places import Place

_PAUSE_S = 0.01
_INSIST_S = 5.0
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


@dataclass(frozen=True)
class Launch:
    """All that it takes to start this server, and to start it again."""

    binaries: Binaries
    place: Place
    address: Address
    log: Path
    max_connections: int
    start_timeout_s: float
    deathwatch: Deathwatch | None = None


class Server:
    """A server process that is a child of ours."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        with log_files.open_fresh(launch.log) as log:
            self._daemon = Daemon(
                _command(launch),
                account=launch.place.account,
                log=log,
                deathwatch=launch.deathwatch,
            )

    @property
    def pid(self) -> int:
        return self._daemon.pid

    def poll(self) -> int | None:
        """Its exit code once it has ended, else None."""
        return self._daemon.poll()

    def answer(self, *, timeout_s: float = 5.0) -> Answer:
        """What it makes of a connection."""
        return liveness.ask(self._launch.address, timeout_s=timeout_s)

    def wait_until_ready(self) -> None:
        """Return when it accepts connections; raise why it does not."""
        deadline = time.monotonic() + self._launch.start_timeout_s
        while self.answer() is not Answer.READY:
            said = log_files.tail(self._launch.log)
            if self.poll() is not None:
                raise diagnosis.refusal(
                    "PostgreSQL did not start",
                    said,
                    self._launch.place.cluster,
                    self._launch.log.parent,
                )
            if time.monotonic() > deadline:
                raise StartTimeout(
                    f"PostgreSQL was not ready after {self._launch.start_timeout_s:g} seconds; "
                    f"its last words in {self._launch.log}: {diagnosis.last_words(said)}"
                )
            time.sleep(_PAUSE_S)

    def end(self, patience_s: float) -> None:
        """Fast shutdown with a checkpoint; then at once; then by force."""
        self._daemon.end(
            [
                (signal.SIGINT, patience_s),
                (signal.SIGQUIT, _INSIST_S),
                (signal.SIGKILL, _INSIST_S),
            ]
        )


def _command(launch: Launch) -> list[str | Path]:
    settings = {
        **_SETTINGS,
        "max_connections": str(launch.max_connections),
        **launch.address.settings(),
    }
    words: list[str | Path] = [launch.binaries.program("postgres"), "-D", launch.place.cluster]
    for name, value in settings.items():
        words += ["-c", f"{name}={value}"]
    return words
