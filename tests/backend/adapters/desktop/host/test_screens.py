"""What runs on a desktop ends as a whole, whoever of it has ended before."""

import os
import select

from cartrita.adapters.desktop.host.enclosures import Command
from cartrita.adapters.desktop.host.screens import running

WATCHDOG_S = 20.0


async def test_what_is_left_of_a_group_ends_with_it() -> None:
    ours, alive = os.pipe()
    until, told = os.pipe()
    outer = Command(["/bin/sh", "-c", f"cat /dev/fd/{until} & kill -9 $$"])
    try:
        async with running(outer, (until, alive)) as process:
            os.close(alive)
            await process.wait()
        ended, _, _ = select.select([ours], [], [], WATCHDOG_S)
        assert ended
        assert os.read(ours, 1) == b""
    finally:
        for end in (ours, until, told):
            os.close(end)
