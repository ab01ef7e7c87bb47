"""Hands and eyes of the host: drivers that block, each in a thread of its own."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Final

import anyio

from cartrita.adapters.desktop.host.driving import Driver, Input
from cartrita.domain.desktop import Action, Button, Done, HoldKey, Shot, Type, Wait
from cartrita.domain.desktop_errors import ActionRefused, DesktopGone
from cartrita.domain.desktop_hands import Impossible, held_after
from cartrita.domain.desktop_stillness import Stillness
from cartrita.domain.errors import DeadlineExceeded, Unavailable
from cartrita.domain.ids import RunId

_GRACE_S: Final = 5.0
"""For a driver to notice that it is to stop; one that does not has lost its display."""
_BLINK_S: Final = 1.5
"""A cursor of text that blinks is within so long as it was: each second, in browsers."""
_LOOK_S: Final = 0.05
"""Between two looks at it."""

_UNSEEN: Final = "The desktop did not show its screen in time: try again."


class Hands:
    """Does one action after the other. What is refused, is cancelled or takes too long lets
    everything go.
    """

    def __init__(
        self,
        driver: Driver,
        timeout_s: float,
        lost: Callable[[], None],
        *,
        blink_s: float = _BLINK_S,
    ) -> None:
        self._driver = driver
        self._timeout_s = timeout_s
        self._lost = lost
        self._blink_s = blink_s
        self._secrets: tuple[RunId | None, Mapping[str, str]] = None, {}
        """Of whom, and by their names: one value, since they are read in other threads, too."""
        self._held: frozenset[Button] = frozenset()
        self._held_by: RunId | None = None
        self._thread = ThreadPoolExecutor(1, "hands")

    @property
    def held(self) -> frozenset[Button]:
        """The buttons that are down between actions."""
        return self._held

    @property
    def held_by(self) -> RunId | None:
        """The run that was the last to press a button or to let one go, while one is down."""
        return self._held_by if self._held else None

    def holds_for(self, run_id: RunId | None) -> bool:
        """Whether a button is down, and that is this run's, if one is named."""
        return bool(self._held) and run_id in (None, self._held_by)

    def keep(self, secrets: Mapping[str, str], run_id: RunId | None) -> None:
        """Know these secrets of a run by their names, in place of others."""
        self._secrets = run_id, secrets

    def refused(self, actions: Sequence[Action], run_id: RunId | None = None) -> Impossible | None:
        """The first of these that the driver would refuse a run."""
        for index, action in enumerate(actions, 1):
            try:
                self._driver.check(action, self._secret(action, run_id))
            except ActionRefused as error:
                return Impossible(index, error.message)
        return None

    async def act(self, action: Action, run_id: RunId | None = None) -> Done:
        """Raises what the driver raises, and DeadlineExceeded for what was ended early."""
        stop = Event()
        timeout_s = self._timeout_s + _own_seconds(action)
        work = self._thread.submit(self._driver.act, action, self._secret(action, run_id), stop)
        try:
            async with asyncio.timeout(timeout_s):
                done = await asyncio.shield(asyncio.wrap_future(work))
        except TimeoutError:
            await self._end(work, stop)
            raise DeadlineExceeded(
                f"The action took longer than {timeout_s:g} seconds and was ended."
            ) from None
        except asyncio.CancelledError:
            await self._end(work, stop)
            raise
        except BaseException:
            self.let_go()
            raise
        held = held_after(self._held, action)
        if held != self._held:
            self._held, self._held_by = held, run_id
        return done

    async def enter(self, told: Sequence[Input]) -> None:
        """Do what a person does, who has the control: before all that is asked for later.

        It is in its turn as soon as this is begun.
        """
        await asyncio.wrap_future(self._thread.submit(self._driver.enter, told))

    async def is_unchanged(self, digest: str, still: Stillness) -> bool:
        """Whether it is at some moment as on the screen of this digest, as where a cursor blinks.

        Raises DesktopGone, also if the display does not answer in time.
        """
        deadline = time.monotonic() + self._blink_s
        while not await self._is_now(digest, still):
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    async def _is_now(self, digest: str, still: Stillness) -> bool:
        same = self._thread.submit(self._driver.is_unchanged, digest, still)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.wrap_future(same)
        except TimeoutError:
            raise DesktopGone.ended() from None

    def let_go(self) -> asyncio.Future[None]:
        """Let go of all keys and buttons, before anything else is done.

        A display on which that fails is lost: nobody knows what is down there.
        """
        self._held = frozenset()
        work = asyncio.wrap_future(self._thread.submit(self._driver.let_go))
        work.add_done_callback(self._require_let_go)
        return work

    async def release(self) -> None:
        """The same; returns when that is done. Raises DesktopGone, also if it takes too long."""
        work = self.let_go()
        await asyncio.wait([work], timeout=self._timeout_s)  # which goes on with it
        if not work.done():
            self._lost()
        if not work.done() or work.exception() is not None:
            raise DesktopGone.ended()

    def _require_let_go(self, work: asyncio.Future[None]) -> None:
        if not work.cancelled() and work.exception() is not None:
            self._lost()

    def _secret(self, action: Action, run_id: RunId | None) -> str | None:
        """The text of the secret that it types, if it is known, and this run's."""
        if not isinstance(action, Type) or action.secret is None:
            return None
        kept_for, secrets = self._secrets
        if run_id is None or run_id != kept_for:
            return None
        return secrets.get(action.secret)

    async def _end(self, work: Future[Done], stop: Event) -> None:
        """End the action in hand, and let everything go."""
        stop.set()
        self.let_go()
        with anyio.CancelScope(shield=True):
            ended = asyncio.wrap_future(work)
            _, running = await asyncio.wait([ended], timeout=_GRACE_S)
            if running:
                self._lost()
            elif not ended.cancelled():
                ended.exception()  # nobody reads what came of it


def _own_seconds(action: Action) -> float:
    """How long it is to take by itself."""
    match action:
        case HoldKey(_, seconds) | Wait(seconds):
            return seconds
        case _:
            return 0.0


class Eyes:
    """Looks at the screen for persons, also while an action is in hand."""

    def __init__(self, driver: Driver, timeout_s: float) -> None:
        self._driver = driver
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, "eyes")
        self._looking: asyncio.Future[Shot] | None = None

    async def look(self) -> Shot:
        """What one look shows, to all who ask while it is in hand: none waits for its turn.

        Raises DesktopGone, and Unavailable if it takes too long, which is not the display's end.
        """
        looking = self._looking
        if looking is None or looking.done():
            looking = asyncio.wrap_future(self._thread.submit(self._driver.look))
            self._looking = looking
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(looking)  # which goes on for others
        except TimeoutError:
            raise Unavailable(_UNSEEN, code="desktop_unavailable") from None
