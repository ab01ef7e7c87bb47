"""Another process that reads every run it is given, and prints when each event came.

Standard input: the database's address, then run ids, one a line, then an empty line; when it ends,
so does the reading. Standard output: `reading`, then `run seq seconds` for each event, by the
machine's monotonic clock, which all processes share.
"""

import asyncio
import sys
import time

import uvloop
from tests.benchmarks import run_logs

from cartrita import logs
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.events import LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.kit.ids import parse

_SETTLE_S = 2.0


def main() -> None:
    """Read until standard input ends."""
    logs.configure("error", "console")
    dsn = sys.stdin.readline().strip()
    names = [line.strip() for line in iter(sys.stdin.readline, "\n")]
    runs = [RunId(value) for name in names if (value := parse("run", name))]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        came = runner.run(_read(dsn, runs))
    for run, seq, moment in came:
        sys.stdout.write(f"{run.hex} {seq} {moment!r}\n")


async def _read(dsn: str, runs: list[RunId]) -> list[tuple[RunId, int, float]]:
    came: list[tuple[RunId, int, float]] = []
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), over.set)
    async with run_logs.opened(dsn) as run_log, asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(_tail(run_log, run, came)) for run in runs]
        await asyncio.sleep(_SETTLE_S)
        if len(came) < len(runs):
            raise RuntimeError("Not every run's first event, which is in the log, was seen.")
        came.clear()
        sys.stdout.write("reading\n")
        sys.stdout.flush()
        await over.wait()
        for reader in readers:
            reader.cancel()
    return came


async def _tail(run_log: RunLog, run: RunId, came: list[tuple[RunId, int, float]]) -> None:
    async with run_log.reader.tail(run, 0) as items:
        async for item in items:
            match item:
                case LoggedEvent(seq=seq):
                    came.append((run, seq, time.monotonic()))
                case _:
                    pass


if __name__ == "__main__":
    main()
