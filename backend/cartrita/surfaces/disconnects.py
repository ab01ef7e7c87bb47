"""Ends the work for a request when its client disconnects."""

import asyncio
from types import TracebackType

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from cartrita.kit.cuts import CuttableWork

_GRACE_S = 0.1


class UntilDisconnect:
    """A context whose body is cancelled when the client disconnects; it raises ClientDisconnect.

    The client is watched from a tenth of a second on, by a task that ends with the context. Most of
    what takes less is over before there is anything to save, and pays for a timer only.
    """

    __slots__ = ("_receive", "_timer", "_watcher", "_work")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._work = CuttableWork(ClientDisconnect)
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._work.__enter__()
        self._timer = asyncio.get_running_loop().call_later(_GRACE_S, self._watch)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None and not self._work.was_cut:
            self._watcher.cancel()
            await asyncio.wait((self._watcher,))
            if not self._watcher.cancelled():
                self._watcher.result()
        self._work.__exit__(kind, error, trace)

    def _watch(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._cut_on_disconnect())

    async def _cut_on_disconnect(self) -> None:
        await disconnected(self._receive)
        self._work.cut()


async def disconnected(receive: Receive) -> None:
    """Wait until the client disconnects; what it still sends is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass
