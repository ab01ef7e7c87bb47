"""Other processes that a benchmark needs: the model provider and the server."""

import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.server import Server

_ROOT = Path(__file__).parents[2]
LEASE_S = 15.0
"""As the product's default: the harness' shorter one costs heartbeats."""


@dataclass(frozen=True)
class Program:
    """A process of ours that listens on a port."""

    pid: int
    port: int


@contextmanager
def answering(module: str, *arguments: str) -> Generator[Program]:
    """A program of this package, which tells its port and ends at the end of its input."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Program(process.pid, int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(10)


@contextmanager
def timestamp_provider(rate: float, tokens: int) -> Generator[int]:
    """Yield the port of a model server whose tokens hold the time at which they were sent."""
    with answering("timestamp_provider", str(rate), str(tokens)) as program:
        yield program.port


def serving(provider_url: str, settings: Mapping[str, str] | None = None) -> Server:
    """`cartrita serve` with one worker and the product's defaults, but for these settings."""
    given = {"CARTRITA_LOG_LEVEL": "warning", **(settings or {})}
    return Server(provider_url=provider_url, lease_s=LEASE_S, settings=given)


def pss_kib(pid: int) -> int:
    """The memory of a process; of a shared page only its share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"The kernel does not say how much memory {pid} takes.")
