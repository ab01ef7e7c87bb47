"""All use cases of desktops together."""

from collections.abc import Sequence
from dataclasses import dataclass

from cartrita.application.desktop.control import DesktopLeases
from cartrita.application.desktop.films import Films
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.application.desktop.tasks import ComputerTasks


@dataclass(frozen=True, slots=True)
class DesktopServices:
    """`isolation` says how desktops are shut in, or `none`; None where there are none.

    `missing` are the lines that install what they need, and `without` what else keeps them in
    elsewhere, and not on this machine.
    """

    sessions: DesktopSessions
    leases: DesktopLeases
    films: Films
    tasks: ComputerTasks
    isolation: str | None
    missing: Sequence[str]
    without: Sequence[str]
