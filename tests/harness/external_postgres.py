"""A PostgreSQL that the server under test did not start; tests stop and start it."""

import shutil
from types import TracebackType
from typing import Self

from tests.harness import scratch

from cartrita.adapters.postgres.supervisor import Supervisor


class ExternalPostgres:
    """Keeps its data and its address over stops and starts."""

    def __init__(self, *, max_connections: int = 60) -> None:
        self._root = scratch.folder("cartrita-outside-")
        self._max_connections = max_connections
        self._supervisor: Supervisor | None = None
        self.dsn = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def start(self) -> None:
        self._supervisor = Supervisor(self._root / "data", max_connections=self._max_connections)
        self.dsn = self._supervisor.start().dsn()

    def stop(self) -> None:
        """Stop it; every connection is cut."""
        if self._supervisor is not None:
            self._supervisor.stop()
