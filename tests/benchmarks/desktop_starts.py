"""How long desktops take to start, alone and four at once."""

import asyncio
import time
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figures, percentile
from tests.harness.desktop_worker import spec

from cartrita.adapters.desktop.desktops import LocalDesktops, open_desktops
from cartrita.domain.desktop import DesktopId

_AT_ONCE = 4


def starts(rounds: int) -> dict[str, Figures]:
    """From the order to the first action that can be done."""
    with TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder) / "desktops", rounds))


async def _measured(folder: Path, rounds: int) -> dict[str, Figures]:
    async with open_desktops(folder) as desktops:
        alone = [await _start(desktops) for _ in range(rounds)]
        async with asyncio.TaskGroup() as tasks:
            crowd = [tasks.create_task(_start(desktops)) for _ in range(_AT_ONCE)]
        together = [each.result() for each in crowd]
    return {"alone": _figures(alone), f"{_AT_ONCE} at once": _figures(together)}


async def _start(desktops: LocalDesktops) -> float:
    number = DesktopId(uuid.uuid4())
    began = time.perf_counter()
    await desktops.start(number, spec())
    seconds = time.perf_counter() - began
    await desktops.stop(number)
    return seconds


def _figures(seconds: list[float]) -> Figures:
    return {"p50 ms": percentile(seconds, 0.5) * 1000, "max ms": max(seconds) * 1000}
