"""Desktops in containers: a program of one reaches neither another nor its own host.

What runs the containers is a stand-in of bubblewrap, which shares what docs/computer-use.md says.
"""

import asyncio
import inspect
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import psutil
import pytest
from tests.harness import desktop_intruder, desktop_programs
from tests.harness.desktop_worker import spec
from tests.harness.x_display import eventually

import cartrita
from cartrita.adapters.desktop import folders, remnants
from cartrita.adapters.desktop.desktops import open_desktops
from cartrita.domain.desktop import DesktopId, DesktopIsolation, Move, Point, Type
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import RunId
from cartrita.kit.secret import Secret

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="root of a container is root of the machine here"),
]
KIND = DesktopIsolation.CONTAINER
VOLUME = "--volume={folder}:{folder}"
SHOWN = (*sys.path, sys.prefix, sys.base_prefix, str(Path(cartrita.__file__).parents[1]))
RUNNER = """#!/bin/sh
echo "$2 $3" > {log}
as=$1 folder=${{2#--volume=}}
folder=${{folder%%:*}}
shift 3
exec bwrap --unshare-pid --unshare-ipc --unshare-uts --unshare-net --die-with-parent $as \
    --cap-drop ALL --cap-add CAP_CHOWN --cap-add CAP_DAC_OVERRIDE --cap-add CAP_FOWNER \
    --cap-add CAP_KILL --cap-add CAP_SETGID --cap-add CAP_SETUID \
    --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
    --ro-bind /etc /etc --proc /proc --dev /dev --perms 1777 --tmpfs /tmp {shown} \
    --bind "$folder" "$folder" --clearenv --setenv PATH {python}:/usr/bin:/bin -- "$@"
"""
"""Its root may what that of Docker may without being asked, where it matters here."""


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where our own temporary files are is not known in a container."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = tmp_path / "runner"
    shown = " ".join(f"--ro-bind-try {each} {each}" for each in SHOWN if each.startswith("/"))
    python = Path(sys.executable).parent
    path.write_text(RUNNER.format(log=tmp_path / "log", shown=shown, python=python))
    path.chmod(0o755)
    return str(path)


async def test_programs_of_one_reach_no_other(runner: str, folder: Path, tmp_path: Path) -> None:
    own, other = DesktopId(uuid.uuid4()), DesktopId(uuid.uuid4())
    code = inspect.getsource(desktop_intruder)
    place = remnants.place(own.hex) / "home" / "result"
    tried = ("python3", "-S", "-c", code, str(folder), own.hex, other.hex)
    async with open_desktops(
        folder, isolation=KIND, container_command=(runner, "", VOLUME, "image")
    ) as desktops:
        another = await desktops.start(other, spec())
        await another.act(Move(Point(5, 6)))
        others = {each.pid for each in desktop_programs.named("openbox")}
        desktop = await desktops.start(own, spec(apps={"Intruder": (*tried, str(place))}))
        [manager] = [one for one in desktop_programs.named("openbox") if one.pid not in others]
        assert not of_root(manager)
        await desktop_programs.open_first(desktop)
        result = Path("/proc", str(manager.pid), "root", *place.parts[1:])
        await asyncio.to_thread(eventually, "all was tried", result.exists)
        assert lines(result) == []
        assert (await another.look()).pointer == Point(5, 6)
        run_id = RunId(uuid.uuid4())
        await another.keep({"PIN": Secret("12")}, run_id)
        await another.act(Type(secret="PIN"), None, run_id)
        shown = folder / own.hex
        assert lines(tmp_path / "log") == [f"--volume={shown}:{shown} image"]
        reached = await asyncio.to_thread(from_outside, tried, tmp_path / "result")
        assert reached == set(desktop_intruder.attempts("", "", ""))
    assert folders.names(folder) == []


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def of_root(process: psutil.Process) -> bool:
    return process.uids().effective == 0


def from_outside(tried: tuple[str, ...], result: Path) -> set[str]:
    """What the same program reaches as root of the machine: so the attempts can succeed."""
    subprocess.run((*tried, str(result)), check=True)
    return set(lines(result))


@pytest.mark.parametrize(
    ("as_user", "volume", "told"),
    [
        ("", "--volume={every}:{every}", "does not show .* by itself"),
        ("--unshare-user --uid 1000 --gid 1000", VOLUME, "does not run as root"),
    ],
)
async def test_a_container_without_walls_between_desktops_is_refused(
    as_user: str, volume: str, told: str, runner: str, folder: Path
) -> None:
    command = (runner, as_user, volume.replace("{every}", str(folder)), "image")
    async with open_desktops(folder, isolation=KIND, container_command=command) as desktops:
        with pytest.raises(Unavailable, match=told):
            await desktops.start(DesktopId(uuid.uuid4()), spec())
    assert folders.names(folder) == []
