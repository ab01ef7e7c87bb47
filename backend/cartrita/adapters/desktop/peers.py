"""The process at the other end of a socket of this machine, as the kernel tells of it."""

import os
import signal
import socket
import struct
from contextlib import suppress
from typing import Final, NamedTuple

_CREDENTIALS: Final = struct.Struct("3i")
_ROOT: Final = 0


class Peer(NamedTuple):
    """Who began to listen, or has connected; `pid` is 0 if it is not seen here."""

    pid: int
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether it is of this user, or root's as in a container: no program of a desktop is,
        where those have a user of their own.
        """
        return self.uid in (os.geteuid(), _ROOT)

    def kill(self) -> None:
        """Kill it, unless a container hides it, or it is gone."""
        if self.pid:
            with suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)


def peer(connection: socket.socket) -> Peer:
    """Whom a socket is connected with."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(told))
