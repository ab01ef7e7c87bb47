"""A strict stand-in of desktops: it remembers what was done, and refuses what a real one does."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256

from cartrita.domain.desktop import (
    LOOKS,
    Action,
    Button,
    Click,
    ControlChange,
    DesktopId,
    DesktopIsolation,
    DesktopSpec,
    Done,
    Key,
    Move,
    Point,
    Shot,
    Type,
    Wait,
)
from cartrita.domain.desktop_errors import ActionRefused, Controlled, DesktopGone, ScreenChanged
from cartrita.domain.desktop_hands import Impossible, held_after
from cartrita.domain.desktop_stillness import Stillness
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.ids import RunId
from cartrita.domain.ports.desktop import Viewer
from cartrita.kit.secret import Secret


class Screen:
    """One desktop; its picture changes with everything that is done but looking.

    It waits until cancelled, and `hangs` is set meanwhile. With `fails` what is done ends so,
    and the desktop, too, if it `ends`.
    """

    def __init__(self, spec: DesktopSpec) -> None:
        self.spec = spec
        self.done: list[Action] = []
        self.secrets: dict[str, str] = {}
        self.secrets_of: RunId | None = None
        self.typed: list[str] = []
        self.holder: str | None = None
        self.gone = False
        self.hangs = asyncio.Event()
        self.fails: CartritaError | None = None
        self.ends = False
        self.pointer = Point(0, 0)
        self._changes = 0
        self._focus = 0
        self._shown: dict[str, tuple[int, int]] = {}
        self._version = 1
        self.times_let_go = 0
        self._asked_for = 0
        self.held: frozenset[Button] = frozenset()
        self.holds_for: RunId | None = None

    async def keep(self, secrets: Mapping[str, Secret], run_id: RunId | None) -> None:
        """See `Desktop.keep`."""
        self._require_there()
        self.secrets_of = run_id
        self.secrets = {name: secret.reveal() for name, secret in secrets.items()}

    async def act(
        self, action: Action, seen: int | None = None, run_id: RunId | None = None
    ) -> Done:
        """See `Desktop.act`."""
        self._require_there()
        if self.holder is not None:
            raise Controlled.by_person()
        if not isinstance(action, LOOKS):
            self._change(seen)
        if (why := self._impossible(action, run_id)) is not None:
            self.held = frozenset()
            raise ActionRefused(why)
        before = self._shot()
        self.done.append(action)
        if self.fails is not None:
            self.gone, self.held = self.ends, frozenset()
            raise self.fails
        if isinstance(action, Wait):
            self.hangs.set()
            await asyncio.Event().wait()
        self._note(action, run_id)
        if not isinstance(action, (*LOOKS, Move)):
            self._changes += 1
        after = self._shot()
        state = self._changes, self._focus
        digest = sha256(repr(state).encode()).hexdigest()
        self._shown[digest] = state
        return Done(
            before=before,
            after=after,
            seconds=0.01,
            pointer=self.pointer,
            version=self._version,
            held=self.held,
            digest=digest,
        )

    async def is_unchanged(self, digest: str, still: Stillness) -> bool:
        """See `Desktop.is_unchanged`; what changes does so everywhere, but the pointer nowhere."""
        self._require_there()
        if self.holder is not None:
            raise Controlled.by_person()
        if digest not in self._shown:
            return False
        changes, focus = self._shown[digest]
        if still.focus and focus != self._focus:
            return False
        return changes == self._changes or not (still.places or still.whole)

    def _note(self, action: Action, run_id: RunId | None) -> None:
        held = held_after(self.held, action)
        if held != self.held:
            self.held, self.holds_for = held, run_id
        if isinstance(action, Type):
            self.typed.append(self.secrets[action.secret] if action.secret else action.text)
        if isinstance(action, Move):
            self.pointer = action.at

    async def refused(
        self, actions: Sequence[Action], run_id: RunId | None = None, seen: int | None = None
    ) -> Impossible | None:
        """See `Desktop.refused`."""
        self._require_there()
        for index, action in enumerate(actions, 1):
            if (why := self._impossible(action, run_id)) is not None:
                return Impossible(index, why)
        self._require_seen(seen)
        return None

    async def held_by(self) -> RunId | None:
        """See `Desktop.held_by`."""
        self._require_there()
        return self.holds_for if self.held else None

    async def let_go(self, run_id: RunId | None = None) -> None:
        """See `Desktop.let_go`."""
        self.times_let_go += 1
        self._require_there()
        if self.held and run_id in (None, self.holds_for):
            if self.holder is not None:
                raise Controlled.by_person()
            self._version += 1
            self.held = frozenset()

    def show_something_else(self) -> None:
        """As if a person had done something."""
        self._changes += 1

    def show_a_window(self) -> None:
        """One that gets what is typed from now on."""
        self._changes += 1
        self.take_the_focus()

    def take_the_focus(self) -> None:
        """As by a window that nobody sees."""
        self._focus += 1

    async def look(self) -> Shot:
        """See `Desktop.look`."""
        self._require_there()
        return self._shot()

    async def take(self, holder: str, seconds: float) -> ControlChange:
        """See `Desktop.take`."""
        self._require_there()
        assert seconds > 0
        if self.holder not in (None, holder):
            raise Controlled.by_person()
        had = self.holder is not None
        if not had:
            self._version += 1
            self.held = frozenset()
        self.holder = holder
        return self._numbered(changed=not had)

    async def hand_back(self, holder: str) -> ControlChange:
        """See `Desktop.hand_back`."""
        self._require_there()
        if self.holder not in (None, holder):
            raise Controlled.by_person()
        had, self.holder = self.holder is not None, None
        return self._numbered(changed=had)

    def _numbered(self, *, changed: bool) -> ControlChange:
        self._asked_for += 1
        return ControlChange(self._asked_for, changed)

    @asynccontextmanager
    async def view(self, holder: str) -> AsyncGenerator[Viewer]:
        """Nobody looks at it."""
        raise AssertionError(holder)
        yield  # pyright: ignore[reportUnreachable]

    def _require_there(self) -> None:
        if self.gone:
            raise DesktopGone.ended()

    def _require_seen(self, version: int | None) -> None:
        if version not in (None, self._version):
            raise ScreenChanged.unseen()

    def _change(self, seen: int | None) -> None:
        self._require_seen(seen)
        self._version += 1

    def _impossible(self, action: Action, run_id: RunId | None) -> str | None:
        points = [action.at] if isinstance(action, Click | Move) and action.at else []
        size = self.spec.width, self.spec.height
        if any(not (0 <= one.x < size[0] and 0 <= one.y < size[1]) for one in points):
            return f"The point is outside of the screen ({size[0]} x {size[1]})."
        known = self.secrets if run_id is not None and run_id == self.secrets_of else ()
        if isinstance(action, Type) and action.secret not in (None, *known):
            return "There is no secret of this name."
        if isinstance(action, Key) and "xyz" in action.keys:
            return 'There is no key "xyz".'
        return None

    def _shot(self) -> Shot:
        drawn = zlib.compress(f"{self._changes} {self.pointer}".encode())
        return Shot(b"\x89PNG\r\n\x1a\n" + drawn, self.spec.width, self.spec.height, self.pointer)


class Screens:
    """Implements `Desktops`."""

    def __init__(self) -> None:
        self.running: dict[DesktopId, Screen] = {}
        self.beginning: set[DesktopId] = set()
        self.stopped: list[DesktopId] = []
        self.missing: Sequence[str] = ()
        self.isolation: DesktopIsolation | None = DesktopIsolation.PLAIN
        self.fails = False

    @contextmanager
    def announced(self, desktop_id: DesktopId) -> Generator[None]:
        """See `Desktops.announced`."""
        self.beginning.add(desktop_id)
        try:
            yield
        finally:
            self.beginning.remove(desktop_id)

    async def is_begun(self, desktop_id: DesktopId) -> bool:
        """See `Desktops.is_begun`."""
        return desktop_id in self.beginning or desktop_id in await self.all_running()

    async def start(self, desktop_id: DesktopId, spec: DesktopSpec) -> Screen:
        """See `Desktops.start`."""
        if self.fails:
            raise Unavailable("It did not start.", code="desktop_unavailable")
        assert desktop_id not in self.running
        self.running[desktop_id] = Screen(spec)
        return self.running[desktop_id]

    async def find(self, desktop_id: DesktopId) -> Screen | None:
        """See `Desktops.find`."""
        found = self.running.get(desktop_id)
        return None if found is None or found.gone else found

    def of(self, desktop_id: DesktopId) -> Screen:
        """See `Desktops.of`."""
        return self.running[desktop_id]

    async def is_dead(self, desktop_id: DesktopId) -> bool:
        """See `Desktops.is_dead`."""
        return await self.find(desktop_id) is None

    async def all_running(self) -> Sequence[DesktopId]:
        """See `Desktops.all_running`."""
        return [one for one, screen in self.running.items() if not screen.gone]

    async def stop(self, desktop_id: DesktopId) -> None:
        """See `Desktops.stop`."""
        self.stopped.append(desktop_id)
        found = self.running.pop(desktop_id, None)
        if found is not None:
            found.gone = True
