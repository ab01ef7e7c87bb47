"""What an open, silent stream takes of the worker's memory."""

import asyncio
import json
import re
import time

from tests.benchmarks import programs, streaming
from tests.benchmarks.figures import report, table
from tests.benchmarks.options import Options
from tests.benchmarks.streaming import Reading, Refused
from tests.harness.fake_provider.launch import fake_provider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import Server

_AT_ONCE = 16
_SETTLE_S = 3.0
_WATCHDOG_S = 120.0
_NOTHING = re.compile(rb"(?!)")
_RUN = re.compile(rb'"run_id":"(run_[0-9a-f]{32})"')
_SILENT = "Say nothing. " + directive(Script(before_first_s=3000))
_PROVIDER_KEY = "sk-of-the-fake-provider"
_PATIENT = {
    "CARTRITA_LOG_LEVEL": "warning",
    "CARTRITA_PROVIDERS_HEADERS_TIMEOUT_S": "3000",
    "CARTRITA_PROVIDERS_IDLE_TIMEOUT_S": "3000",
}


def measure(options: Options) -> None:
    """Readers of one silent run; then readers of a silent run each, its model call included."""
    rows: dict[str, dict[str, float]] = {}
    with fake_provider(key=_PROVIDER_KEY) as provider:
        for streams in options.streams or (1000, 5000):
            for name, own in (("readers of one run", False), ("runs, each with a reader", True)):
                with Server(
                    provider_url=provider.base_url,
                    lease_s=programs.LEASE_S,
                    settings=_PATIENT | {"CARTRITA_SERVER_DRAIN_S": "0"},
                ) as server:
                    rows[f"{streams:,} {name}"] = options.run(_grown(server, streams, own=own))
    report(table("memory of the worker", rows))


async def _grown(server: Server, streams: int, *, own: bool) -> dict[str, float]:
    (worker,) = server.tree.workers
    open_now = [await _asked(server.port) for _ in range(20)]  # what is made at first use is made
    request = streaming.get(server.port, f"/api/runs/{_run_of(open_now[0])}/events")
    open_now += [await _patiently(server.port, request) for _ in range(20)]
    await asyncio.sleep(_SETTLE_S)
    before, began = programs.pss_kib(worker), time.monotonic()
    turns = iter(range(streams))

    async def open_some() -> None:
        for _ in turns:
            open_now.append(await _patiently(server.port, None if own else request))

    async with asyncio.timeout(_WATCHDOG_S), asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(open_some())
    seconds = time.monotonic() - began
    await asyncio.sleep(_SETTLE_S)
    if cut := sum(1 for reading in open_now if reading.over.done()):
        raise RuntimeError(f"{cut} of {len(open_now)} streams did not stay open.")
    after = programs.pss_kib(worker)
    for reading in open_now:
        reading.close()
    return {
        "before MiB": before / 1024,
        "after MiB": after / 1024,
        "KiB each": (after - before) / streams,
        "opened per s": streams / seconds,
    }


async def _patiently(port: int, request: bytes | None) -> Reading:
    """A stream that has begun; a busy server is asked again."""
    while True:
        try:
            if request is None:
                return await _asked(port)
            reading = await streaming.opened(port, request, _NOTHING)
            await reading.begun
        except Refused:
            await asyncio.sleep(1.0)
        else:
            return reading


async def _asked(port: int) -> Reading:
    """The stream of a silent run of our own."""
    body = json.dumps({"message": _SILENT, "model": "openai/fake"}).encode()
    request = streaming.post(port, "/api/chat/stream", body)
    reading = await streaming.opened(port, request, _NOTHING)
    await reading.begun
    return reading


def _run_of(reading: Reading) -> str:
    found = _RUN.search(reading.beginning)
    assert found is not None
    return found[1].decode()
