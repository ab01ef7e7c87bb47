"""The relay of the vendors' APIs against the least relay there can be, and the upstream itself."""

import json
from collections.abc import Callable

import psutil
from tests.benchmarks import programs
from tests.benchmarks.figures import Figures, middle, milliseconds, ratio, report, table
from tests.benchmarks.options import Options
from tests.benchmarks.relay_clients import Load, load
from tests.harness.server import KEY, Server

_CHUNKS = 200
_PAUSE_S = 0.01
_CONNECTIONS = 64
_STREAMS = 40
_TRANSLATED = "/v1/messages"
_CPU = "CPU s per 1k requests"
_STREAM_CPU = "CPU s per 100k chunks"


def measure(options: Options) -> None:
    """Whole answers, 64 at once and one at a time; paced streams, relayed and translated."""
    with (
        programs.answering("relay_upstream", str(_CHUNKS), str(_PAUSE_S)) as upstream,
        programs.answering("relay_floor", f"http://127.0.0.1:{upstream.port}/v1") as floor,
        programs.serving(f"http://127.0.0.1:{upstream.port}/v1") as server,
    ):
        contenders: dict[str, tuple[int, Callable[[], float]]] = {
            "upstream": (upstream.port, lambda: _cpu(upstream.pid)),
            "floor": (floor.port, lambda: _cpu(floor.pid)),
            "ours": (server.port, lambda: worker_cpu(server)),
            "ours, translated": (server.port, lambda: worker_cpu(server)),
        }
        rounds: dict[str, list[Figures]] = {name: [] for name in contenders}
        for _ in range(options.rounds):
            for name, (port, cpu) in contenders.items():
                path = _TRANSLATED if "translated" in name else "/v1/chat/completions"
                rounds[name].append(figures_of(options, port, path, cpu))
    _report({name: middle(figures) for name, figures in rounds.items()})


def figures_of(options: Options, port: int, path: str, cpu: Callable[[], float]) -> Figures:
    """What a relay does under load: whole answers, and streams, with the CPU time of `cpu`."""

    def run(connections: int, *, stream: bool, seconds: float) -> tuple[Load, float]:
        request = chat_request(path, stream=stream)
        options.run(load(port, request, min(connections, 4), 0.2))
        before = cpu()
        answered = options.run(load(port, request, connections, seconds))
        return answered, cpu() - before

    streams, streams_cpu = run(_STREAMS, stream=True, seconds=options.seconds)
    figures = {_STREAM_CPU: streams_cpu / streams.pieces * 1e5}
    if path == _TRANSLATED:  # what is not streamed to us is streamed by the upstream, at its pace
        return figures
    many, many_cpu = run(_CONNECTIONS, stream=False, seconds=options.seconds)
    alone, _ = run(1, stream=False, seconds=options.seconds / 4)
    return {
        "requests/s": len(many.waits) / options.seconds,
        _CPU: many_cpu / len(many.waits) * 1e3,
        **milliseconds("alone", alone.waits),
        **figures,
    }


def _report(rows: dict[str, dict[str, float]]) -> None:
    report(table("relays", rows))
    floor, ours, translated = rows["floor"], rows["ours"], rows["ours, translated"]
    direct = rows["upstream"]["alone p50 ms"]
    added, least = (row["alone p50 ms"] - direct for row in (ours, floor))
    report(ratio("G2, share of the floor (gate 0.5)", floor[_CPU], ours[_CPU]))
    report(ratio("G3, added latency over the floor's (gate 1.5)", added, least))
    own, least = ours[_STREAM_CPU], floor[_STREAM_CPU]
    report(ratio("G5, CPU of streams over the floor's (gate 1.5)", own, least))
    report(ratio("G6, translated over relayed (gate 1.35)", translated[_STREAM_CPU], own))


def chat_request(path: str, *, stream: bool) -> bytes:
    """A whole request of a client, as bytes."""
    body = json.dumps(
        {
            "model": "relayed",
            "max_tokens": 512,
            "messages": [{"role": "user", "content": "Please tell me about relays. " * 4}],
            **({"stream": True} if stream else {}),
        },
        separators=(",", ":"),
    ).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: relay\r\ncontent-type: application/json\r\n"
        f"x-api-key: {KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def worker_cpu(server: Server) -> float:
    """The CPU time of a server's workers so far, in seconds."""
    return sum(map(_cpu, server.tree.workers))


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
