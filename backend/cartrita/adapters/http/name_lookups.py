"""The addresses of providers, looked up in threads that nobody else needs.

A name server that is silent holds whoever asks it for many seconds, and a lookup cannot be stopped.
So it belongs to nobody who waits for it: there is one at a time for each name, which goes on when
they leave. An event loop would use its few threads for it, and connect to nobody in the meantime.
"""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from itertools import islice
from typing import Any, TypeAlias

import structlog

from cartrita.adapters.http.targets import Origin

Address: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""What getaddrinfo tells of one address."""
_Outcome: TypeAlias = list[Address] | OSError | ValueError

_FRESH_SECONDS = 10.0
_PATIENCE_SECONDS = 0.5
"""How long a lookup is waited for where addresses are known from before."""
_USABLE_SECONDS = 600.0
"""How long known addresses are used while no lookup succeeds."""
_MOST_THREADS = 64
_MOST_NAMES = 1000
"""Of those that were looked up; the oldest that nobody waits for are forgotten."""
_NUMBERS = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

log = structlog.get_logger(__name__)


class NameLookups:
    """Looks names up, a limited number of them at once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._names: dict[Origin, _Name] = {}
        self._queue: deque[_Name] = deque()
        self._running = 0

    async def addresses(self, origin: Origin) -> list[Address]:
        """The addresses of an origin.

        Raises OSError, as socket.gaierror for a name that is not known, and ValueError.
        """
        name = self._names.get(origin)
        if name is None:
            if (numbers := _of_numbers(origin)) is not None:
                return numbers
            self._make_room()
            name = self._names[origin] = _Name(origin, self._loop)
        if self._loop.time() < name.fresh_until:
            return name.known
        lookup = name.lookup
        if lookup is None:
            lookup = name.begin()
            self._queue.append(name)
            self._start()
        return await name.found(lookup)

    def close(self) -> None:
        """Begin no other lookups."""
        self._queue.clear()

    def _make_room(self) -> None:
        if len(self._names) < _MOST_NAMES:
            return
        for origin in list(islice(self._names, 4)):  # so that those in use end too, in time
            name = self._names.pop(origin)
            if name.lookup is not None:
                self._names[origin] = name

    def _start(self) -> None:
        while self._queue and self._running < _MOST_THREADS:
            self._running += 1
            name = self._queue.popleft()
            # A daemon, because the process does not wait for a name server when it ends.
            thread = threading.Thread(
                target=_look_up, args=(name, self._loop, self._told), name="lookup", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # the process may have no more threads
                self._running -= 1
                name.end(OSError(str(error)))

    def _told(self, name: "_Name", outcome: _Outcome) -> None:
        self._running -= 1
        name.end(outcome)
        self._start()


class _Name:
    """What is known of one name, and the lookup that is under way."""

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.known: list[Address] = []
        self.fresh_until = 0.0
        self.lookup: asyncio.Future[_Outcome] | None = None
        self._loop = loop
        self._begun = 0.0
        self._usable_until = 0.0

    def begin(self) -> "asyncio.Future[_Outcome]":
        """A lookup is under way."""
        self._begun = self._loop.time()
        self.lookup = self._loop.create_future()
        return self.lookup

    def end(self, outcome: _Outcome) -> None:
        """It has ended; where it failed, the known addresses are used until the next one."""
        lookup, self.lookup = self.lookup, None
        now = self._loop.time()
        if isinstance(outcome, list):
            self.known = outcome
            self._usable_until = now + _USABLE_SECONDS
            self.fresh_until = now + _FRESH_SECONDS
        elif now < self._usable_until:
            log.warning("upstream_name_not_found", host=self.origin.host)
            self.fresh_until = min(now + _FRESH_SECONDS, self._usable_until)
        assert lookup is not None
        lookup.set_result(outcome)

    async def found(self, lookup: "asyncio.Future[_Outcome]") -> list[Address]:
        """What a lookup finds, or what is known from before where it fails or takes long."""
        now = self._loop.time()
        usable = now < self._usable_until
        timeout = max(self._begun + _PATIENCE_SECONDS - now, 0) if usable else None
        await asyncio.wait((lookup,), timeout=timeout)
        outcome = lookup.result() if lookup.done() else self.known
        if isinstance(outcome, list):
            return outcome
        if usable:
            return self.known
        raise outcome.with_traceback(None)  # which others raise too


def _of_numbers(origin: Origin) -> list[Address] | None:
    """The address of an origin whose host is one already."""
    try:
        ip_address(origin.host)
    except ValueError:
        return None
    return _getaddrinfo(origin, _NUMBERS)


def _look_up(
    name: _Name,
    loop: asyncio.AbstractEventLoop,
    tell: Callable[[_Name, _Outcome], object],
) -> None:
    try:
        outcome: _Outcome = _getaddrinfo(name.origin)
    except (OSError, ValueError) as error:
        outcome = error
    except Exception as error:  # noqa: BLE001 - somebody waits, and others after them
        outcome = OSError(str(error))
    with suppress(RuntimeError):  # the loop was closed in the meantime
        loop.call_soon_threadsafe(tell, name, outcome)


def _getaddrinfo(origin: Origin, flags: int = 0) -> list[Address]:
    found = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM, flags=flags)
    return list[Address](found)
