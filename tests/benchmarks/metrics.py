"""What it costs to count: one request, a page, and relays with metrics and without."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import psutil
from prometheus_client import CollectorRegistry, Counter, Histogram
from tests.benchmarks import programs
from tests.benchmarks.figures import Figures, middle, ratio, report, table
from tests.benchmarks.options import Options
from tests.benchmarks.relay import chat_request
from tests.benchmarks.relay_clients import load
from tests.harness.server import Server

from cartrita.adapters.metrics.metrics import Metrics
from cartrita.domain.ledger import CallOutcome, LedgerEntry
from cartrita.domain.usage import Usage

_REQUESTS = 50_000
_PAGES = 20
_CONNECTIONS = 64
_CPU = "CPU s per 1k requests"
_PATH = "/v1/chat/completions"
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


def measure(options: Options) -> None:
    """Rounds of counting, by us and by prometheus_client; of pages; and of relays."""
    rounds = [_counting() for _ in range(options.rounds)]
    rows = {name: middle([figures[name] for figures in rounds]) for name in rounds[0]}
    report(table("one request", rows))
    report(
        ratio("prometheus_client over ours", rows["prometheus_client"]["us"], rows["ours"]["us"])
    )
    pages = [options.run(_pages()) for _ in range(options.rounds)]
    report(table("100 models", {name: middle([one[name] for one in pages]) for name in pages[0]}))
    _relays(options)


def _counting() -> dict[str, Figures]:
    metrics, entry = Metrics(), _entry("gpt")
    metrics.counts.models.knows = lambda provider, model: True
    counts = metrics.counts

    def ours() -> None:
        counts.answered("openai", "POST", _PATH, 200, 0.3)
        counts.called(entry)

    return {"ours": {"us": _each(ours)}, "prometheus_client": {"us": _each(_theirs(entry))}}


def _theirs(entry: LedgerEntry) -> Callable[[], None]:
    """The same counts by the library's own values."""
    registry = CollectorRegistry()
    call = ("surface", "provider", "model")
    requests = Counter("r", "R.", ("surface", "method", "route", "status"), registry=registry)
    answers = Histogram("a", "A.", ("surface", "route"), buckets=_BOUNDS, registry=registry)
    calls = Counter("c", "C.", (*call, "outcome"), registry=registry)
    seconds = Histogram("s", "S.", ("provider", "outcome"), buckets=_BOUNDS, registry=registry)
    first = Histogram("f", "F.", ("surface", "provider"), buckets=_BOUNDS, registry=registry)
    tokens = Counter("t", "T.", (*call, "kind"), registry=registry)
    cost = Counter("d", "D.", call, registry=registry)

    def count() -> None:
        requests.labels("openai", "POST", _PATH, "200").inc()
        answers.labels("openai", _PATH).observe(0.3)
        calls.labels(entry.surface, entry.provider, entry.model, entry.outcome.value).inc()
        seconds.labels(entry.provider, entry.outcome.value).observe(entry.seconds)
        first.labels(entry.surface, entry.provider).observe(0.2)
        cost.labels(entry.surface, entry.provider, entry.model).inc(float(entry.cost or 0))
        for kind, number in (("input", 100), ("output", 20)):
            tokens.labels(entry.surface, entry.provider, entry.model, kind).inc(number)

    return count


def _each(count: Callable[[], None]) -> float:
    count()
    began = time.perf_counter()
    for _ in range(_REQUESTS):
        count()
    return (time.perf_counter() - began) / _REQUESTS * 1e6


async def _pages() -> dict[str, Figures]:
    metrics = Metrics()
    metrics.counts.models.knows = lambda provider, model: True
    for number in range(100):
        for surface in ("native", "openai_chat", "anthropic_messages"):
            metrics.counts.called(_entry(f"model-{number}", surface))
    page = await metrics.render()
    began = time.perf_counter()
    for _ in range(_PAGES):
        await metrics.render()
    whole = (time.perf_counter() - began) / _PAGES * 1e3
    began = time.perf_counter()
    for _ in range(_PAGES):
        metrics._publish()
    handed = (time.perf_counter() - began) / _PAGES * 1e3
    series = sum(not line.startswith(b"#") for line in page.splitlines())
    return {
        "a page": {"ms": whole, "series": series},
        "handed over, each second": {"ms": handed},
    }


def _entry(model: str, surface: str = "openai_chat") -> LedgerEntry:
    return LedgerEntry(
        owner_id="o",
        key_id="k",
        run_id=None,
        surface=surface,
        provider="openai",
        model=model,
        usage=Usage(100, 20),
        cost=Decimal("0.000075"),
        outcome=CallOutcome.COMPLETED,
        seconds=0.4,
        first_token_seconds=0.2,
        at=datetime.now(UTC),
    )


def _relays(options: Options) -> None:
    """Two servers in turn, at one upstream."""
    with programs.answering("relay_upstream", "200", "0.01") as upstream:
        base = f"http://127.0.0.1:{upstream.port}/v1"
        off = {"CARTRITA_METRICS_ENABLED": "0"}
        with programs.serving(base) as counted, programs.serving(base, settings=off) as uncounted:
            contenders = {"with metrics": counted, "without": uncounted}
            rounds: dict[str, list[Figures]] = {name: [] for name in contenders}
            for _ in range(options.rounds):
                for name, server in contenders.items():
                    rounds[name].append(_relayed(options, server))
    rows = {name: middle(figures) for name, figures in rounds.items()}
    report(table("relays", rows))
    report(ratio("with metrics over without", rows["with metrics"][_CPU], rows["without"][_CPU]))


def _relayed(options: Options, server: Server) -> Figures:
    request = chat_request(_PATH, stream=False)
    options.run(load(server.port, request, 4, 0.2))
    before = _cpu(server)
    answered = options.run(load(server.port, request, _CONNECTIONS, options.seconds))
    spent = _cpu(server) - before
    return {
        "requests/s": len(answered.waits) / options.seconds,
        _CPU: spent / len(answered.waits) * 1e3,
    }


def _cpu(server: Server) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in server.tree.workers]
    return sum(one.user + one.system for one in times)
