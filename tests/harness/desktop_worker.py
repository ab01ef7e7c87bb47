"""A worker that starts one desktop: `python -m tests.harness.desktop_worker FOLDER ISOLATION`.

It prints `opened` when it is about to start it, and `ready` when it has, or why it has not. It
ends when its standard input does, or when it is killed.
"""

import asyncio
import sys
import uuid
from pathlib import Path

from cartrita.adapters.desktop.desktops import open_desktops
from cartrita.domain.desktop import DesktopId, DesktopIsolation, DesktopSpec
from cartrita.domain.errors import Unavailable

APPS = {"Terminal": ("xterm",), "Editor": ("mousepad",)}


def spec(**changed: object) -> DesktopSpec:
    """A desktop of a test."""
    given: dict[str, object] = {
        "width": 1280,
        "height": 800,
        "apps": APPS,
        "isolation": None,
        "network": False,
        "memory_bytes": 1 << 30,
        "processes": 128,
        "settle_s": 0.5,
        "start_timeout_s": 60.0,
        "action_timeout_s": 60.0,
    }
    return DesktopSpec(**(given | changed))  # type: ignore[arg-type]


async def main(folder: Path, isolation: DesktopIsolation) -> None:
    """Have one desktop until nobody wants it any more."""
    async with open_desktops(folder, isolation=isolation) as desktops:
        _tell("opened")
        try:
            await desktops.start(DesktopId(uuid.uuid4()), spec())
        except Unavailable as error:
            _tell(error.message)
        else:
            _tell("ready")
        await asyncio.to_thread(sys.stdin.read)


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), DesktopIsolation(sys.argv[2])))
