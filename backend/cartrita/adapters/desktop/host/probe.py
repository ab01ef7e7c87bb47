"""The process that tries whether bubblewrap works here: `python -I -m ...probe FOLDER`."""

import os
import subprocess
import sys
from typing import Final

import msgspec

from cartrita.adapters.desktop.host import namespaces
from cartrita.adapters.desktop.host.enclosures import enclosure
from cartrita.adapters.desktop.orders import HostEnded, HostLine, HostOrder, HostReady
from cartrita.domain.desktop import DesktopIsolation, DesktopSpec

_NOBODY: Final = 61_183
_SPEC: Final = DesktopSpec(
    width=640,
    height=480,
    apps={},
    isolation=None,
    network=False,
    memory_bytes=256 << 20,
    processes=64,
    settle_s=0,
    start_timeout_s=10,
    action_timeout_s=10,
)


def main() -> None:
    """Shut in a program that does nothing, as those of a desktop are."""
    try:
        namespaces.leave(network=False)
        child = os.fork()
        if not child:
            _be_first_process()
        os.waitpid(child, 0)
    except OSError as error:
        _tell(HostEnded(str(error)))


def _be_first_process() -> None:
    try:
        namespaces.settle()
        command = enclosure(order_of(sys.argv[1])).programs(["true"], ":0")
        done = subprocess.run(  # noqa: S603 - it is ours
            command.words,
            env={},
            pass_fds=[file.fileno() for file in command.files],
            capture_output=True,
            check=False,
        )
        reason = done.stderr.decode("utf-8", "replace").strip()
        _tell(HostEnded(reason) if done.returncode else HostReady())
    except OSError as error:
        _tell(HostEnded(str(error)))
    finally:
        os._exit(0)


def order_of(folder: str) -> HostOrder:
    """What is tried."""
    return HostOrder(
        folder=folder,
        spec=_SPEC,
        isolation=DesktopIsolation.BUBBLEWRAP,
        user_id=None if os.geteuid() else _NOBODY,
    )


def _tell(line: HostLine) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
