"""Work that can be cut from elsewhere: its task is cancelled, and its end tells why."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
W = TypeVar("W", bound="CuttableWork")


class CuttableWork:
    """A context of the task that enters it, whose body can be cut: it is cancelled then.

    One that was cut raises the error that `reason` makes, unless somebody else cancelled the task
    too, or the body raised something of its own. It is entered once.
    """

    __slots__ = ("_cancelling", "_reason", "_task", "was_cut")

    def __init__(self, reason: Callable[[], Exception]) -> None:
        self._reason = reason
        self.was_cut = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if (
            self.was_cut
            and self._task.uncancel() <= self._cancelling
            and (error is None or isinstance(error, asyncio.CancelledError))
        ):
            raise self._reason() from error

    def cut(self) -> None:
        """Cancel the task; again, nothing. Only within the context."""
        if not self.was_cut:
            self.was_cut = True
            self._task.cancel()


class OpenWork(Generic[W]):
    """Work that goes on, by the id of what it depends on: a key, a credential."""

    def __init__(self) -> None:
        self._open: dict[str, set[W]] = {}

    def __iter__(self) -> Iterator[W]:
        return (work for works in self._open.values() for work in works)

    @property
    def ids(self) -> Collection[str]:
        """What any of it depends on."""
        return self._open.keys()

    def of(self, identity: str) -> Collection[W]:
        """What depends on this."""
        return self._open.get(identity, ())

    def add(self, identity: str, work: W) -> None:
        """Work has begun that depends on this."""
        self._open.setdefault(identity, set()).add(work)

    def remove(self, identity: str, work: W) -> None:
        """It has ended."""
        works = self._open[identity]
        works.remove(work)
        if not works:
            del self._open[identity]


class Within(Generic[T]):
    """A context within cuttable work; a generator's would cost several times as much."""

    __slots__ = ("_context", "_work")

    def __init__(self, work: CuttableWork, context: AbstractAsyncContextManager[T]) -> None:
        self._work = work
        self._context = context

    async def __aenter__(self) -> T:
        self._work.__enter__()
        try:
            return await self._context.__aenter__()
        except BaseException as error:
            self._work.__exit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        try:
            swallowed = await self._context.__aexit__(kind, error, trace)
        except BaseException as raised:
            self._work.__exit__(type(raised), raised, raised.__traceback__)
            raise
        if swallowed:
            self._work.__exit__(None, None, None)
        else:
            self._work.__exit__(kind, error, trace)
        return swallowed
