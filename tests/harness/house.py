"""The house's laws, watched while tests run: no network beyond this machine, no blocked loop.

Connections and look-ups are seen through Python's audit events, `time.sleep` by standing before it.
What libuv or another process does is not seen here.
"""

import asyncio
import socket
import sys
import time
from ipaddress import ip_address
from types import FrameType
from typing import Any

_asleep = time.sleep

broken: list[str] = []
"""Sentences about laws broken since the list was cleared last."""


class LawBroken(RuntimeError):
    """Raised where it happens; the fixture fails the test too, should somebody catch this."""


def watch() -> None:
    """Begin, for the rest of this process: an audit hook cannot be removed."""
    sys.addaudithook(_audit)
    time.sleep = _sleep


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        _connecting(*arguments)
    elif event == "socket.getaddrinfo":
        _resolving(arguments[0])


def _sleep(seconds: float) -> None:
    if _on_loop():
        _break("the event loop was blocked by time.sleep")
    _asleep(seconds)


def _connecting(connection: socket.socket, address: Any) -> None:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if not _local(address[0]):
        _break(f"a connection to {address[0]} was tried")
    if connection.gettimeout() != 0 and _on_loop():
        _break("the event loop was blocked by a connection")


def _resolving(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or _local(name) or _is_address(name):
        return
    if name.endswith(".invalid"):  # as the resolver would answer, but without asking anybody
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    _break(f"the name {name} was looked up")


def _local(host: str) -> bool:
    return host in ("", "localhost") or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _on_loop() -> bool:
    """Whether product code is what blocks: tests may wait for processes as they like."""
    if asyncio._get_running_loop() is None:
        return False
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        path = frame.f_code.co_filename
        if "/tests/" in path and path != __file__:
            return False
        if "/cartrita/" in path:
            return True
        frame = frame.f_back
    return False


def _break(sentence: str) -> None:
    broken.append(sentence)
    raise LawBroken(sentence)
