"""Desktops: what starts them, the use cases over them, and what agents do on them."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from cartrita.adapters.desktop import folders
from cartrita.adapters.desktop.desktops import missing_here, open_desktops
from cartrita.adapters.desktop.programs import missing_walls
from cartrita.adapters.persistence.desktop_films import FilmTable
from cartrita.adapters.persistence.desktops import DesktopTable
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.uploads import UploadTable
from cartrita.application.conversations.conversations import Conversations
from cartrita.application.desktop.action_limits import ActionLimits
from cartrita.application.desktop.agent_desktops import AgentDesktops
from cartrita.application.desktop.batches import BatchParts
from cartrita.application.desktop.control import DesktopLeases
from cartrita.application.desktop.films import Films
from cartrita.application.desktop.hand_overs import DesktopHandOvers
from cartrita.application.desktop.keeper import DesktopKeeper
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.application.desktop.pictures import Pictures
from cartrita.application.desktop.services import DesktopServices
from cartrita.application.desktop.sessions import DesktopPlan, DesktopSessions
from cartrita.application.desktop.tasks import ComputerTasks
from cartrita.application.runs.approvals import RunApprovals
from cartrita.application.runs.runs import Runs
from cartrita.application.work_in_turn import WorkInTurn
from cartrita.assembly.files import FileParts
from cartrita.assembly.storage import Storage
from cartrita.domain.desktop import DesktopIsolation, DesktopSpec
from cartrita.domain.files import FileQuota
from cartrita.domain.ports.desktop import Desktops
from cartrita.domain.ports.desktop_sessions import DesktopLimits
from cartrita.domain.ports.runs import EarlierRequests
from cartrita.settings import Settings
from cartrita.settings.desktop import DesktopOptions
from cartrita.tools.ask_for_hand_over import hand_over_tool
from cartrita.tools.computer import computer_tool
from cartrita.tools.tool import Tool

log = structlog.get_logger(__name__)

_FOLDER: Final = "desktops"
_MENU: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"Terminal": ("xterm",), "Editor": ("mousepad",)}
)
_LOOKS_BEFORE_IDLE: Final = 3
"""So often it is stored that a person sees one before it would be idle."""
_MARGIN_S: Final = 30.0
"""For an answer, beside the time of the longest action that may be in hand."""
_FORGOTTEN_S: Final = 60.0
"""One that no server has ended so long after its time ends itself."""
_WITHOUT_SWEEP_S: Final = 60.0
"""A server without desktops looks so often for those that nobody has ended."""
_CALL_S: Final = 1800.0
"""For all actions of a call, beside the time in which a person has the desktop."""


class DesktopParts(NamedTuple):
    """What has to do with desktops. Without `desktops` there are none."""

    desktops: Desktops | None
    sessions: DesktopSessions
    leases: DesktopLeases
    films: Films
    keeper: DesktopKeeper
    tools: tuple[Tool, ...]


def running_desktops(settings: Settings) -> int:
    """How many run on this machine, or are being started."""
    return len(folders.names(settings.data_dir / _FOLDER))


@asynccontextmanager
async def open_desktop_parts(
    settings: Settings, storage: Storage, files: FileParts, instance: UUID
) -> AsyncGenerator[DesktopParts]:
    """The parts of desktops; those that were started here end with them.

    `instance` identifies the data directory, in which all workers of a machine find them.
    """
    if not settings.desktop.enabled:  # of a server that had them, something may be left
        await asyncio.to_thread(folders.remove_dead, settings.data_dir / _FOLDER)
        yield _parts(settings, storage, files, instance, None)
        return
    desktop = settings.desktop
    async with open_desktops(
        settings.data_dir / _FOLDER,
        isolation=_isolation(desktop),
        container_command=desktop.container_command,
        hidden=(settings.data_dir,),
        apps=_apps(desktop),
        answer_s=desktop.action_timeout_s + desktop.hold_max_s + _MARGIN_S,
    ) as desktops:
        if desktops.missing:
            log.warning("desktops_unavailable", missing=list(desktops.missing))
        if without := missing_walls(desktops.isolation):
            log.warning("desktops_without_walls", without=list(without))
        parts = _parts(settings, storage, files, instance, desktops)
        try:
            yield parts
        finally:
            await parts.sessions.close("The server stopped.")


async def look_for_desktops(settings: Settings) -> tuple[DesktopIsolation, Sequence[str]]:
    """How desktops would be shut in here, and what is missing for that, mostly as lines to run."""
    desktop = settings.desktop
    isolation = _isolation(desktop) or DesktopIsolation.BUBBLEWRAP
    missing = await missing_here(
        settings.data_dir / _FOLDER, isolation, desktop.container_command, _apps(desktop)
    )
    return isolation, missing


def create_desktop_services(
    parts: DesktopParts,
    runs: Runs,
    approvals: RunApprovals,
    conversations: Conversations,
    earlier: EarlierRequests,
    in_turn: WorkInTurn,
) -> DesktopServices:
    """The use cases, as the surfaces get them."""
    isolation, missing, without = None, (), ()
    if parts.desktops is not None:
        isolation = parts.desktops.isolation or "none"
        missing = parts.desktops.missing
        without = missing_walls(parts.desktops.isolation)
    return DesktopServices(
        sessions=parts.sessions,
        leases=parts.leases,
        films=parts.films,
        tasks=ComputerTasks(
            parts.sessions, parts.films, runs, approvals, conversations, earlier, in_turn
        ),
        isolation=isolation,
        missing=missing,
        without=without,
    )


def _parts(
    settings: Settings,
    storage: Storage,
    files: FileParts,
    instance: UUID,
    desktops: Desktops | None,
) -> DesktopParts:
    desktop, database = settings.desktop, storage.database
    table, memory = DesktopTable(database), DesktopMemory()
    machine = "" if desktops is None else instance.hex
    plan = DesktopPlan(
        machine=machine,
        spec=_spec(desktop),
        lifetime_s=desktop.lifetime_s,
        idle_s=desktop.idle_s,
        limits=DesktopLimits(machine=desktop.sessions_max, owner=desktop.sessions_per_owner),
    )
    sessions = DesktopSessions(table, _conversations(storage), memory, desktops, plan)
    quota = FileQuota(settings.files.per_owner_max, settings.files.per_owner_bytes)
    pictures = Pictures(
        UploadTable(database), FileTable(database), files.blobs, files.removal, quota, memory
    )
    films = Films(FilmTable(database), pictures, sessions, files.files, most=desktop.frames_max)
    limits = ActionLimits(
        hold_s=desktop.hold_max_s,
        characters=desktop.text_max_chars,
        handover_s=desktop.handover_s,
        poll_s=min(desktop.sweep_s, 1.0),
        looks_max=desktop.looks_max,
    )
    use = AgentDesktops(BatchParts(sessions, films, pictures, memory, limits))
    timeout_s = desktop.handover_s + _CALL_S
    tools = (
        computer_tool(use, sessions.size, timeout_s=timeout_s),
        hand_over_tool(use, DesktopHandOvers(sessions, films, memory)),
    )
    return DesktopParts(
        desktops=desktops,
        sessions=sessions,
        leases=DesktopLeases(
            sessions,
            table,
            films,
            seconds=desktop.control_s,
            seen_s=desktop.idle_s / _LOOKS_BEFORE_IDLE,
        ),
        films=films,
        keeper=DesktopKeeper(
            table,
            sessions,
            memory,
            machine=machine,
            start_s=desktop.start_timeout_s,
            interval_s=_WITHOUT_SWEEP_S if desktops is None else desktop.sweep_s,
        ),
        tools=() if desktops is None else tools,
    )


def _conversations(storage: Storage) -> Conversations:
    log_ = storage.run_log
    return Conversations(
        storage.conversations,
        storage.conversation_removal,
        storage.messages,
        log_.reader,
        log_.cancellation,
    )


def _spec(desktop: DesktopOptions) -> DesktopSpec:
    return DesktopSpec(
        width=desktop.width,
        height=desktop.height,
        apps=dict(_apps(desktop)),
        isolation=_isolation(desktop),
        network=desktop.network,
        memory_bytes=desktop.memory_bytes,
        processes=desktop.processes_max,
        settle_s=desktop.settle_s,
        start_timeout_s=desktop.start_timeout_s,
        action_timeout_s=desktop.action_timeout_s,
        lifetime_s=desktop.lifetime_s + _FORGOTTEN_S,
    )


def _apps(desktop: DesktopOptions) -> Mapping[str, tuple[str, ...]]:
    if desktop.apps is not None:
        return {app.name: app.command for app in desktop.apps}
    return {name: command for name, command in _MENU.items() if shutil.which(command[0])}


def _isolation(desktop: DesktopOptions) -> DesktopIsolation | None:
    return None if desktop.isolation == "auto" else DesktopIsolation(desktop.isolation)
