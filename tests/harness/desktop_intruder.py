"""A program of a desktop that tries to use others, and its own host: `ALL OWN OTHER RESULT`.

`ALL` is the directory of all desktops, `OWN` and `OTHER` are the names of their folders there. What
it has reached are the lines of the file `RESULT`. It needs nothing but Python.
"""

import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress

HEAD = struct.Struct(">I")
REQUESTS = {
    "looks": {"type": "look"},
    "acts": {"type": "act", "action": {"type": "move", "at": {"x": 77, "y": 66}}},
    "takes": {"type": "take", "holder": "intruder", "seconds": 600},
    "tells secrets": {"type": "keep", "secrets": {"PIN": "intruder"}, "run_id": None},
    "stops": {"type": "stop"},
}


def answered(folder: str, request: object) -> bool:
    """Whether a host does what it is asked."""
    os.chdir(folder)  # paths of sockets have 107 bytes at most
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect("socket")
        text = json.dumps(request).encode()
        connection.sendall(HEAD.pack(len(text)) + text)
        reader = connection.makefile("rb")
        head = reader.read(HEAD.size)
        if not head:
            return request == REQUESTS["stops"]
        answer = json.loads(reader.read(*HEAD.unpack(head)))
        return answer["type"] != "refused"


def processes() -> list[str]:
    """Those that are not of this user, as their directories."""
    found = [f"/proc/{name}" for name in os.listdir("/proc") if name.isdigit()]
    return [path for path in found if os.stat(path).st_uid != os.geteuid()]


def of_any(attempt: Callable[[str], object]) -> bool:
    """Whether it succeeds with one of these processes."""
    for path in processes():
        with suppress(OSError):
            if attempt(path):
                return True
    return False


def attempts(every: str, own: str, other: str) -> dict[str, Callable[[], object]]:
    """What is tried, by what has been reached when it succeeds."""
    ours, theirs = f"{every}/{own}", f"{every}/{other}"
    made: dict[str, Callable[[], object]] = {
        "the names of others": lambda: other in os.listdir(every),
        "a process that is not its own": lambda: of_any(lambda path: os.listdir(f"{path}/fd")),
        "a place in the folder of another": lambda: open(f"{theirs}/written", "x").close() is None,
        "a place in its own folder": lambda: open(f"{ours}/written", "x").close() is None,
        "the rights of root": lambda: os.setuid(0) is None,
    }
    for name, request in REQUESTS.items():
        for whose, folder in (("another", theirs), ("its own", ours)):
            made[f"{name} at {whose}"] = lambda folder=folder, request=request: answered(
                folder, request
            )
    return made


def main(every: str, own: str, other: str, result: str) -> None:
    """Try all of it, and tell what was reached."""
    with open(f"{result}.part", "w") as told:
        for name, attempt in attempts(every, own, other).items():
            with suppress(OSError, ValueError):
                if attempt():
                    told.write(f"{name}\n")
    os.rename(f"{result}.part", result)


if __name__ == "__main__":
    main(*sys.argv[1:])
