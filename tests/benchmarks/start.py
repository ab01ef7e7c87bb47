"""How long a start takes, with an empty data directory and with a used one, and idle memory."""

import time

import psutil
from tests.benchmarks import programs
from tests.benchmarks.figures import report, table
from tests.benchmarks.options import Options
from tests.harness.server import Server, ServerFailed

_STARTS = 5
_PAUSE_S = 0.005
_WATCHDOG_S = 60.0
_SETTLE_S = 3.0
_NOWHERE = "http://127.0.0.1:9/v1"


def measure(options: Options) -> None:
    """From the command to its line `ready`; each cold start is followed by a warm one."""
    cold: list[float] = []
    warm: list[float] = []
    memory: dict[str, float] = {}
    for _ in range(_STARTS):
        server = programs.serving(_NOWHERE)
        try:
            cold.append(_ready(server))
            server.stop()
            warm.append(_ready(server))
            memory = _memory(server)
        finally:
            server.__exit__(None, None, None)
    rows = {name: _spread(times) for name, times in (("cold", cold), ("warm", warm))}
    report(table(f"seconds to ready, {_STARTS} starts each", rows))
    report(table("idle PSS", {"after a warm start": memory}))


def _ready(server: Server) -> float:
    began = time.monotonic()
    server.start()
    while b"\nready\n" not in server.log_path.read_bytes():
        if not server.running or time.monotonic() - began > _WATCHDOG_S:
            raise ServerFailed(server.log_tail())
        time.sleep(_PAUSE_S)
    return time.monotonic() - began


def _spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"median": ordered[len(ordered) // 2], "least": ordered[0], "most": ordered[-1]}


def _memory(server: Server) -> dict[str, float]:
    """In MiB; Postgres is all of its processes, which share most of what they have."""
    time.sleep(_SETTLE_S)
    tree = server.tree
    assert tree.parent is not None
    postgres = sum(programs.pss_kib(pid) for pid in tree.cluster if psutil.pid_exists(pid))
    return {
        "parent MiB": programs.pss_kib(tree.parent) / 1024,
        "worker MiB": sum(programs.pss_kib(pid) for pid in tree.workers) / 1024,
        "Postgres MiB": postgres / 1024,
    }
