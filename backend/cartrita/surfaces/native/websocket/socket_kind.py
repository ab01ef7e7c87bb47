"""What makes a socket the one it is: its address, its frames, and what they do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
from starlette.requests import HTTPConnection

from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.surfaces.native.websocket.client_frames import FrameModels
from cartrita.surfaces.native.websocket.followed_runs import FollowedRuns, SendFrame


@dataclass(frozen=True, slots=True)
class SocketRoom:
    """What an open socket has for the actions of its client.

    `tasks` end with the socket, once `SocketActions.stop` was called. `send` and `send_bytes` wait
    for room. `rest` is to be called when something has ended for which no frame was awaited.
    """

    connection: HTTPConnection
    principal: Principal
    tasks: asyncio.TaskGroup
    followed: FollowedRuns
    send: SendFrame
    send_bytes: Callable[[bytes], Awaitable[None]]
    rest: Callable[[], None]


class SocketActions(Protocol):
    """What the frames of one authenticated client do.

    `give_up` is called at `deadline`, by the event loop's clock. A client that is `busy` without
    sending anything is not idle.
    """

    @property
    def deadline(self) -> float | None: ...

    @property
    def busy(self) -> bool: ...

    async def take(self, text: str) -> None:
        """Do what a frame says."""
        ...

    async def take_bytes(self, data: bytes) -> None:
        """Take a binary frame. Raises SocketEnded where they mean nothing."""
        ...

    async def give_up(self) -> None:
        """The deadline is over."""
        ...

    async def wind_up(self) -> None:
        """The server is about to stop: do now what would be lost with the socket."""
        ...

    def stop(self) -> None:
        """End what goes on: the client has left."""
        ...


class SocketKind(msgspec.Struct, frozen=True):
    """One address; `operation` is what its callers must be allowed to do."""

    path: str
    frames: FrameModels
    operation: Operation
    open_actions: Callable[[SocketRoom], SocketActions]
