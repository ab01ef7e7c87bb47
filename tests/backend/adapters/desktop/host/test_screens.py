"""What runs on a desktop finds its home made, and ends as a whole, whoever of it ended before."""

import os
import select
from collections.abc import Sequence
from pathlib import Path

from tests.harness.desktop_worker import spec

from cartrita.adapters.desktop.host import homes
from cartrita.adapters.desktop.host.enclosures import Command
from cartrita.adapters.desktop.host.screens import programs, running
from cartrita.adapters.desktop.orders import HostOrder
from cartrita.domain.desktop import DesktopIsolation

WATCHDOG_S = 20.0


class Bare:
    """No walls, a home, and a window manager that does nothing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        manager = directory / "openbox"
        manager.write_text("#!/bin/sh\n")
        manager.chmod(0o700)

    def screen(self, command: Sequence[str]) -> Command:
        return Command(command)

    def programs(self, command: Sequence[str], display: str) -> Command:
        found = f"PATH={self.directory}:{os.environ['PATH']}"
        return Command(["env", f"HOME={self.directory}", found, *command])

    def viewer(self, command: Sequence[str], display: str) -> Command:
        return Command(command)


async def test_the_home_is_made_before_the_window_manager_begins(tmp_path: Path) -> None:
    apps = {'A "quoted" $HOME': ("xterm", "-e", "a b")}
    order = HostOrder(folder="", spec=spec(apps=apps), isolation=DesktopIsolation.PLAIN)
    async with programs(order, Bare(tmp_path), ":1") as manager:
        assert await manager.wait() == 0
    files = homes.files(apps)
    assert {path: (tmp_path / path).read_text() for path in files} == files


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
