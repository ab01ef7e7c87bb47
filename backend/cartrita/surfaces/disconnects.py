"""Ends the work for a request when its client disconnects."""

import asyncio
from types import TracebackType

from starlette.requests import ClientDisconnect
from starlette.types import Receive

_GRACE_S = 0.1


class UntilDisconnect:
    """A context whose body is cancelled when the client disconnects; it raises ClientDisconnect.

    The client is watched from a tenth of a second on, by a task that ends with the context. Most of
    what takes less is over before there is anything to save, and pays for a timer only.
    """

    __slots__ = ("_body", "_cancelling", "_disconnected", "_receive", "_timer", "_watcher")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None
        self._disconnected = False

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        body = asyncio.current_task(loop)
        assert body is not None
        self._body = body
        self._cancelling = body.cancelling()
        self._timer = loop.call_later(_GRACE_S, self._watch)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._watcher is None:
            return
        if not self._disconnected:
            self._watcher.cancel()
            await asyncio.wait((self._watcher,))
            if not self._watcher.cancelled():
                self._watcher.result()
        elif self._body.uncancel() <= self._cancelling and (
            kind is None or issubclass(kind, asyncio.CancelledError)
        ):
            raise ClientDisconnect

    def _watch(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._cancel_on_disconnect())

    async def _cancel_on_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._disconnected = True
        self._body.cancel()
