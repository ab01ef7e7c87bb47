"""Guards that every test runs under: no network beyond this machine, no blocked event loop.

Connections and name look-ups are seen through Python's audit events, `time.sleep` is replaced.
What libuv or another process does is not seen.
"""

import asyncio
import socket
import sys
import time
from ipaddress import ip_address
from types import FrameType
from typing import Any

_original_sleep = time.sleep

violations: list[str] = []
"""Sentences, since the list was cleared last."""


class GuardViolation(RuntimeError):
    """Raised at the violation; the fixture fails the test too, in case something catches this."""


def install() -> None:
    """Guard the rest of this process: an audit hook cannot be removed."""
    sys.addaudithook(_audit)
    time.sleep = _sleep


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        _check_connect(*arguments)
    elif event == "socket.getaddrinfo":
        _check_lookup(arguments[0])


def _sleep(seconds: float) -> None:
    if _on_loop():
        _fail("the event loop was blocked by time.sleep")
    _original_sleep(seconds)


def _check_connect(connection: socket.socket, address: Any) -> None:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if not _is_local(address[0]):
        _fail(f"a connection to {address[0]} was tried")
    if connection.gettimeout() != 0 and _on_loop():
        _fail("the event loop was blocked by a connection")


def _check_lookup(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or _is_local(name) or _is_address(name):
        return
    if name.endswith(".invalid"):  # the resolver's answer, without asking it
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    _fail(f"the name {name} was looked up")


def _is_local(host: str) -> bool:
    return host in ("", "localhost") or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _on_loop() -> bool:
    """Whether product code runs on an event loop; tests themselves may block it."""
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


def _fail(sentence: str) -> None:
    violations.append(sentence)
    raise GuardViolation(sentence)
