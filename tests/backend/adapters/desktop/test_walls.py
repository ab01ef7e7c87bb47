"""What a desktop is shut in with: its display, its user and its limits, in each kind of walls."""

import os
from pathlib import Path

import psutil
import pytest
from tests.harness import desktop_programs
from tests.harness.desktop_witness import ENDED, Pressed, Witness
from tests.harness.desktop_worker import spec

from cartrita.adapters.desktop.desktops import LocalDesktops
from cartrita.adapters.desktop.host.cookies import write_cookie
from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import Click, DesktopId, DesktopIsolation, Move, Point

# python-xlib closes no socket of a connection that it could not make.
_LEAK = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
pytestmark = pytest.mark.slow

MEMORY, PROCESSES = 768 << 20, 96
LISTENS = "0A"
PLACE = ("tmp", ".X11-unix", "authority")


def limits(process: psutil.Process) -> dict[str, str]:
    """The hard limits of a process by their names."""
    lines = Path(f"/proc/{process.pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[1] for line in lines}


def score(process: psutil.Process) -> int:
    return int(Path(f"/proc/{process.pid}/oom_score_adj").read_text())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def listeners(process: psutil.Process) -> list[str]:
    """What listens for TCP where a process is."""
    tables = (Path(f"/proc/{process.pid}/net/{name}") for name in ("tcp", "tcp6"))
    rows = [row.split() for table in tables for row in table.read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == LISTENS]


@pytest.mark.parametrize("isolation", [DesktopIsolation.BUBBLEWRAP, DesktopIsolation.PLAIN])
async def test_programs_have_limits_and_are_of_another_user(
    isolation: DesktopIsolation, desktops: LocalDesktops, desktop_id: DesktopId
) -> None:
    wanted = spec(memory_bytes=MEMORY, processes=PROCESSES, isolation=isolation)
    desktop = await desktops.start(desktop_id, wanted)
    assert (await desktop.act(Move(Point(5, 6)))).after.pointer == Point(5, 6)
    for name in ("Xvfb", "openbox"):
        process = desktop_programs.named(name)[-1]
        found = limits(process)
        assert found["Max address space"] == str(MEMORY), name
        assert found["Max processes"] == str(PROCESSES), name
        assert found["Max core file size"] == "0", name
        assert score(process) > 0, "it is killed before others where memory is short"
        if os.geteuid() == 0:
            assert process.uids().real != 0, name


@_LEAK
@pytest.mark.usefixtures("collected")
async def test_its_display_is_on_no_network_and_wants_its_cookie(
    desktops: LocalDesktops, desktop: RunningDesktop, desktop_id: DesktopId, tmp_path: Path
) -> None:
    x_server = desktop_programs.named("Xvfb")[-1]
    assert listeners(x_server) == []
    host = x_server.parents()[2]
    assert mode(Path("/proc", str(host.pid), "root", *PLACE)) == 0o600
    witness = Witness(host.pid)
    write_cookie(tmp_path / "another", None)
    with pytest.raises(ENDED):
        Witness(host.pid, tmp_path / "another")
    await desktop.act(Click(Point(5, 6)))
    await desktops.stop(desktop_id)
    witness.join()
    assert witness.clicks == [Pressed(5, 6)], "with its cookie it is seen"
