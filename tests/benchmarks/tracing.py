"""What traces cost a relay: none, one request of a hundred, and all of them."""

from collections.abc import Mapping
from contextlib import ExitStack

from tests.benchmarks import programs
from tests.benchmarks.figures import Figures, middle, ratio, report, table
from tests.benchmarks.options import Options
from tests.benchmarks.relay import figures_of, worker_cpu
from tests.harness.server import Server

_PATH = "/v1/chat/completions"
_CPU = "CPU s per 1k requests"
_SHARES = {"off": None, "a sample of 0.01": "0.01", "all": "1"}


def measure(options: Options) -> None:
    """The same load of each server in turn; a fourth program takes the traces."""
    with ExitStack() as stack:
        upstream = stack.enter_context(programs.answering("relay_upstream", "200", "0.01"))
        receiver = stack.enter_context(programs.answering("relay_upstream", "1", "0"))
        servers = {
            name: stack.enter_context(
                programs.serving(
                    f"http://127.0.0.1:{upstream.port}/v1", _settings(receiver.port, share)
                )
            )
            for name, share in _SHARES.items()
        }
        rounds: dict[str, list[Figures]] = {name: [] for name in servers}
        for number in range(options.rounds):
            order = list(servers.items())
            for name, server in order if number % 2 else reversed(order):
                rounds[name].append(_figures(options, server))
    _report({name: middle(figures) for name, figures in rounds.items()})


def _settings(port: int, share: str | None) -> Mapping[str, str]:
    if share is None:
        return {}
    return {
        "LANGFUSE_PUBLIC_KEY": "pk-lf-benchmark",
        "LANGFUSE_SECRET_KEY": "sk-lf-benchmark",
        "LANGFUSE_BASE_URL": f"http://127.0.0.1:{port}",
        "CARTRITA_TRACING_SAMPLE": share,
    }


def _figures(options: Options, server: Server) -> Figures:
    memory = sum(map(programs.pss_kib, server.tree.workers)) / 1024
    figures = figures_of(options, server.port, _PATH, lambda: worker_cpu(server))
    return {**figures, "PSS MiB before": memory}


def _report(rows: dict[str, dict[str, float]]) -> None:
    report(table("traces", rows))
    off, sampled, every = rows.values()
    for what, row, gate in (("a sample of 0.01", sampled, " (gate 1.05)"), ("all", every, "")):
        report(ratio(f"{what} over off, CPU of requests{gate}", row[_CPU], off[_CPU]))
        alone = "alone p50 ms"
        report(ratio(f"{what} over off, one request at a time{gate}", row[alone], off[alone]))
