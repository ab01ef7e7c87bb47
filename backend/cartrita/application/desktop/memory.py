"""What this process remembers of desktops while they run, and nobody stores."""

from collections.abc import Sequence

import msgspec

from cartrita.application.desktop.sights import Sight
from cartrita.domain.desktop import DesktopId
from cartrita.domain.desktop_films import PressedPlace
from cartrita.domain.desktop_places import are_near
from cartrita.domain.files import FileId
from cartrita.domain.ids import RunId
from cartrita.domain.ports.desktop_use import CallingAgent


class Picture(msgspec.Struct, frozen=True):
    """A stored picture of a screen, by the digest of its bytes."""

    digest: bytes
    file_id: FileId


class _Remembered:
    """Of one desktop."""

    def __init__(self) -> None:
        self.seen: dict[CallingAgent, Sight] = {}
        self.picture: Picture | None = None
        self.looks: dict[RunId, int] = {}
        self.stale: dict[CallingAgent, tuple[Sequence[PressedPlace], int]] = {}


class DesktopMemory:
    """By desktop: what its agents have seen, and its last picture."""

    def __init__(self) -> None:
        self._desktops: dict[DesktopId, _Remembered] = {}

    def sight(self, desktop_id: DesktopId, agent: CallingAgent) -> Sight | None:
        """What this agent was shown last; the desktop knows whether it is still that."""
        return self._of(desktop_id).seen.get(agent)

    def see(self, desktop_id: DesktopId, agent: CallingAgent, sight: Sight) -> None:
        """This agent was shown this."""
        self._of(desktop_id).seen[agent] = sight

    def unsee(self, desktop_id: DesktopId) -> None:
        """What agents were shown is too long ago."""
        self._of(desktop_id).seen.clear()

    def picture(self, desktop_id: DesktopId) -> Picture | None:
        """The last picture that was stored."""
        return self._of(desktop_id).picture

    def keep(self, desktop_id: DesktopId, picture: Picture) -> None:
        """This one was stored last."""
        self._of(desktop_id).picture = picture

    def count_look(self, desktop_id: DesktopId, run_id: RunId, *, same: bool) -> int:
        """Count a call that only looked; how many of its run in a row have seen the same."""
        looks = self._of(desktop_id).looks
        looks[run_id] = looks.get(run_id, 0) + 1 if same else 1
        return looks[run_id]

    def count_stale(
        self, desktop_id: DesktopId, agent: CallingAgent, places: Sequence[PressedPlace]
    ) -> int:
        """Count what was approved too late for these; how many in a row were for about the same."""
        stale = self._of(desktop_id).stale
        before, count = stale.get(agent, (places, 0))
        stale[agent] = places, count + 1 if are_near(before, places) else 1
        return stale[agent][1]

    def end_stale(self, desktop_id: DesktopId, agent: CallingAgent) -> None:
        """What was approved for this agent is done in time."""
        self._of(desktop_id).stale.pop(agent, None)

    def end_looks(self, desktop_id: DesktopId) -> None:
        """Something else was tried than to look."""
        self._of(desktop_id).looks.clear()

    @property
    def known(self) -> frozenset[DesktopId]:
        """Those of which something is remembered."""
        return frozenset(self._desktops)

    def forget(self, desktop_id: DesktopId) -> None:
        """The desktop has ended."""
        self._desktops.pop(desktop_id, None)

    def _of(self, desktop_id: DesktopId) -> _Remembered:
        return self._desktops.setdefault(desktop_id, _Remembered())
