"""What a program of a desktop tries to reach of the machine, it does not."""

import asyncio
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness import desktop_programs
from tests.harness.desktop_worker import spec
from tests.harness.x_display import eventually

from cartrita.adapters.desktop.desktops import LocalDesktops
from cartrita.domain.desktop import DesktopId

pytestmark = pytest.mark.slow

BEGIN = r"""
reached() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "$name"; fi; }
dials() { timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2"; }
counts() { [ "$(ls "$1" | wc -l)" -gt "$2" ]; }
exec >"$RESULT.part" 2>&1
"""
READING = r"""
reached "a file of the machine" cat "$SECRET"
reached "the folder of the desktops" ls "$FOLDER"
reached "passwords" cat /etc/shadow
reached "users" grep -q '^daemon:' /etc/passwd
reached "homes" ls /root
reached "a process of the machine" test -e "/proc/$SERVER/cmdline"
reached "a listener of the machine" dials 127.0.0.1 "$PORT"
reached "the metadata of a cloud" dials 169.254.169.254 80
reached "named sockets of others" grep -q "@$NAMED" /proc/net/unix
reached "rights of set-id programs" grep -q 'NoNewPrivs:.0' /proc/self/status
"""
ENTERING = r"""
reached "processes of others" counts /proc 200
reached "network devices" grep -q -E 'eth|ens|wlan' /proc/net/dev
reached "displays of others" counts /tmp/.X11-unix 2
reached "devices" test -e /dev/sda -o -e /dev/vda -o -e /dev/kmsg
reached "rights of root" grep -q 'CapEff:.*[1-9a-f]' /proc/self/status
reached "the socket of the display" rm /tmp/.X11-unix/X0
reached "the programs of the system" touch /usr/bin/written
reached "the settings of the system" touch /etc/fonts/written
reached "more users" unshare --user --map-root-user true
reached "mounts" mount -t tmpfs none /mnt
reached "the desktop of another" env DISPLAY=:1 xterm -e true
reached "the host of a virtual machine" python3 -S -c "
import socket
socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"
"""
FILLING = r"""
fills() { head -c "$MORE" /dev/zero >"$1"; }
holds() { PYTHONPATH= python3 -S -c "$1" "$MORE"; }
for place in /tmp /dev/shm /dev / /etc /home /home/desktop; do
    reached "more memory in $place" fills "$place/filled"
    rm -f "$place/filled"
done
reached "more memory in files of no directory" holds "$MEMORY_FILES"
reached "more memory in segments of nobody" holds "$SEGMENTS"
"""
MEMORY_FILES = """
import os, sys, threading
held = os.memfd_create("held")
for _ in range(int(sys.argv[1]) >> 20):
    os.write(held, bytes(1 << 20))
threading.Event().wait(600)
"""
SEGMENTS = """
import ctypes, sys, threading, time
library = ctypes.CDLL(None)
library.shmat.restype = ctypes.c_void_p
numbers = []
for _ in range(8):
    size = int(sys.argv[1]) // 8
    numbers.append(library.shmget(0, ctypes.c_size_t(size), 0o1600))
    place = ctypes.c_void_p(library.shmat(numbers[-1], None, 0))
    ctypes.memset(place, 1, size)
    library.shmdt(place)
gone_at = time.monotonic() + 600
told = ctypes.create_string_buffer(256)
while all(library.shmctl(number, 2, told) == 0 for number in numbers):
    if time.monotonic() > gone_at:
        sys.exit(0)
    threading.Event().wait(0.1)
sys.exit(1)
"""
END = """
mv "$RESULT.part" "$RESULT"
"""
ON_THE_MACHINE = {
    "a file of the machine",
    "the folder of the desktops",
    "users",
    "a process of the machine",
    "a listener of the machine",
    "named sockets of others",
}
"""What anybody reaches without walls: so these attempts can succeed."""


MOST = 512 << 20


class Machine:
    """What there is to be reached, as variables for the attempts."""

    def __init__(self, folder: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.named = socket.socket(socket.AF_UNIX)
        self.name = f"cartrita-test-{os.getpid()}"
        self.named.bind(f"\0{self.name}")
        self.secret = folder.parent / "secret"
        self.secret.write_text("secret")
        self.folder = folder

    @property
    def variables(self) -> dict[str, str]:
        return {
            "SECRET": str(self.secret),
            "FOLDER": str(self.folder),
            "SERVER": str(os.getpid()),
            "PORT": str(self.listener.getsockname()[1]),
            "NAMED": self.name,
        }

    def close(self) -> None:
        self.listener.close()
        self.named.close()


@pytest.fixture
def machine(folder: Path) -> Iterator[Machine]:
    made = Machine(folder)
    yield made
    made.close()


def attempts(machine: Machine, result: str, *parts: str) -> tuple[str, ...]:
    """The command of an app that tries these."""
    variables = machine.variables | {"RESULT": result}
    return (
        "env",
        *(f"{name}={value}" for name, value in variables.items()),
        "sh",
        "-c",
        "".join((BEGIN, *parts, END)),
    )


async def test_nothing_of_the_machine_is_reached(desktops: LocalDesktops, machine: Machine) -> None:
    others = await desktops.start(DesktopId(uuid.uuid4()), spec())
    others_managers = {each.pid for each in desktop_programs.named("openbox")}
    apps = {"Attempts": attempts(machine, "/home/desktop/result", READING, ENTERING)}
    desktop = await desktops.start(DesktopId(uuid.uuid4()), spec(apps=apps))
    await desktop_programs.open_first(desktop)
    (own,) = [each for each in desktop_programs.named("openbox") if each.pid not in others_managers]
    result = file_of(own.pid)
    await asyncio.to_thread(eventually, "all was tried", result.exists)
    assert lines(result) == []
    assert (await others.look()).png


async def test_memory_of_the_machine_has_a_bound_however_it_is_held(
    desktops: LocalDesktops, machine: Machine
) -> None:
    tried = attempts(machine, "/home/desktop/result", FILLING)
    given = {"MORE": str(MOST), "MEMORY_FILES": MEMORY_FILES, "SEGMENTS": SEGMENTS}
    more = tuple(f"{name}={value}" for name, value in given.items())
    apps = {"Attempts": ("env", *more, *tried)}
    desktop = await desktops.start(DesktopId(uuid.uuid4()), spec(apps=apps, memory_bytes=MOST))
    await desktop_programs.open_first(desktop)
    result = file_of(desktop_programs.process("openbox").pid)
    await asyncio.to_thread(eventually, "all was tried", result.exists)
    assert lines(result) == []
    assert (await desktop.look()).png


def file_of(process: int) -> Path:
    return desktop_programs.home(process) / "result"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_without_walls_it_is(machine: Machine, tmp_path: Path) -> None:
    result = tmp_path / "result"
    machine.folder.mkdir()
    subprocess.run(attempts(machine, str(result), READING), check=True)
    reached = set(lines(result))
    assert reached >= ON_THE_MACHINE
