"""How long after its commit an event is seen by a reader in another process."""

import asyncio
import sys
import time
from pathlib import Path

from tests.benchmarks import run_logs
from tests.benchmarks.database import PostgresServer
from tests.benchmarks.figures import Figures, middle, milliseconds, report, table
from tests.benchmarks.options import Options
from tests.benchmarks.pacing import paced

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.events import LoggedEvent, TextAppended
from cartrita.domain.ids import RunId

_ROOT = Path(__file__).parents[2]
_WATCHDOG_S = 60.0
_SETTLE_S = 1.0
Moments = dict[tuple[RunId, int], float]


def measure(options: Options) -> None:
    """Two processes on one database: this one writes all runs, the other reads all of them."""
    with PostgresServer.opened() as postgres:
        for streams in options.streams or (500,):
            rounds: list[Figures] = []
            for _ in range(options.rounds):
                with postgres.database() as endpoint:
                    rounds.append(options.run(_round(endpoint.dsn(), streams, options)))
            offered = f"{streams:,} runs x {options.rate:g} rows/s, seen in a second process"
            report(table(offered, {"ours": middle(rounds)}))


async def _round(dsn: str, streams: int, options: Options) -> Figures:
    async with run_logs.opened(dsn) as run_log:
        runs = await run_logs.admitted(run_log, streams)
        committed = _commits(run_log)
        reader = await _second_reader(dsn, runs)
        try:
            committed.clear()

            async def append(stream: int) -> None:
                await run_log.writer.append(runs[stream], TextAppended(" the quick brown", 0))

            await paced(append, streams=streams, rate=options.rate, seconds=options.seconds)
            await asyncio.sleep(_SETTLE_S)
            out, _ = await asyncio.wait_for(reader.communicate(b""), _WATCHDOG_S)
        finally:
            if reader.returncode is None:
                reader.kill()
    by_name = {run.hex: run for run in runs}
    seen = [line.split() for line in out.decode().splitlines()]
    came = {(by_name[run], int(seq)): float(moment) for run, seq, moment in seen}
    if missing := committed.keys() - came.keys():
        raise RuntimeError(f"{len(missing)} of {len(committed)} events were never seen.")
    waits = [max(0.0, came[place] - moment) for place, moment in committed.items()]
    return {"rows/s": len(came) / options.seconds} | milliseconds("commit to visible", waits)


def _commits(run_log: RunLog) -> Moments:
    """Fills up with the moment at which each event's commit was known here."""
    moments: Moments = {}
    publish = run_log._buffers.publish

    def noted(run_id: RunId, events: list[LoggedEvent]) -> None:
        now = time.monotonic()
        moments.update({(run_id, event.seq): now for event in events})
        publish(run_id, events)

    run_log._buffers.publish = noted
    return moments


async def _second_reader(dsn: str, runs: list[RunId]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.second_reader",
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    names = "".join(f"{run.hex}\n" for run in runs)
    process.stdin.write(f"{dsn}\n{names}\n".encode())
    line = await asyncio.wait_for(process.stdout.readline(), _WATCHDOG_S)
    if line != b"reading\n":
        raise RuntimeError("The second reader did not start; see its output above.")
    return process
