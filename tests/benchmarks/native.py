"""What the stored stream of a chat adds to the provider's own, many at once.

Each token says when it was sent, so that its whole way is measured: parsed, appended, committed,
published, framed. The same clients read the provider directly, for the difference.
"""

import asyncio
import re
import time

from tests.benchmarks import programs, streaming
from tests.benchmarks.figures import Figures, middle, milliseconds, report, table
from tests.benchmarks.options import Options
from tests.benchmarks.streaming import Refused

_OURS = re.compile(rb'"delta":"([^"]*)"')
_THEIRS = re.compile(rb'"content":"([^"]*)"')
_CHAT = b'{"message":"Hello!","model":"openai/timed"}'
_COMPLETION = b'{"model":"timed","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'
_TURNS = 2
_LENGTH = 2.5
"""How much longer a stream is than one measurement elsewhere: many must be open at once."""


def measure(options: Options) -> None:
    """So many streams at once, first arriving evenly, then all in the same moment."""
    length = options.seconds * _LENGTH
    tokens = max(10, int(options.rate * length))
    for streams in options.streams or (500,):
        rounds: list[dict[str, Figures]] = []
        for _ in range(options.rounds):
            with (
                programs.timestamp_provider(options.rate, tokens) as port,
                programs.serving(f"http://127.0.0.1:{port}/v1") as server,
            ):
                rounds.append(options.run(_round(port, server.port, streams, length)))
        rows = {name: middle([figures[name] for figures in rounds]) for name in rounds[0]}
        report(table(f"{streams:,} streams x {options.rate:g} tokens/s", rows))
        for way in ("evenly", "at once"):
            ours, theirs = rows[f"ours, {way}"], rows[f"provider, {way}"]
            for name in ("first token p50 ms", "token p50 ms", "token p99 ms"):
                what = name.removesuffix(" ms")
                report(f"added to {what}, {way}: {ours[name] - theirs[name]:.1f} ms")
        report("")


async def _round(provider: int, server: int, streams: int, seconds: float) -> dict[str, Figures]:
    direct = streaming.post(provider, "/v1/chat/completions", _COMPLETION)
    stored = streaming.post(server, "/api/chat/stream", _CHAT)
    await streaming.finished(server, stored, _OURS)  # what is made at its first use is made
    found: dict[str, Figures] = {}
    for way, spread in (("evenly", seconds), ("at once", 0.0)):
        found[f"provider, {way}"] = await _crowd(provider, direct, _THEIRS, streams, spread)
        found[f"ours, {way}"] = await _crowd(server, stored, _OURS, streams, spread)
    return found


async def _crowd(
    port: int, request: bytes, words: re.Pattern[bytes], streams: int, spread: float
) -> Figures:
    """Every place in the crowd is taken once `spread` has passed, by one stream after another; what
    comes then counts. Without a spread there is one stream each, and all of it counts."""
    firsts: list[float] = []
    waits: list[tuple[float, float]] = []
    refused = 0
    full = time.monotonic() + spread

    async def read(place: int) -> None:
        nonlocal refused
        await asyncio.sleep(spread * place / streams)
        for _ in range(_TURNS if spread else 1):
            began = time.monotonic()
            try:
                reading = await streaming.finished(port, request, words)
            except Refused:
                refused += 1
                continue
            waits.extend(reading.waits)
            if reading.first is not None and (not spread or began >= full):
                firsts.append(reading.first)

    async with asyncio.TaskGroup() as tasks:
        for place in range(streams):
            tasks.create_task(read(place))
    counted = [wait for moment, wait in waits if not spread or full <= moment <= full + spread]
    first = milliseconds("first token", firsts)
    return first | milliseconds("token", counted) | {"tokens": len(counted), "refused": refused}
