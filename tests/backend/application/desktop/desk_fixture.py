"""The use cases of desktops over stand-ins of these, on a real database."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from obstore.store import MemoryStore
from tests.backend.application.desktop.screens import Screen, Screens
from tests.harness.rows import ANN, stored_conversation

from cartrita.adapters.blobs.blobs import Blobs
from cartrita.adapters.persistence.conversation_removal import ConversationRemover
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.desktop_films import FilmTable
from cartrita.adapters.persistence.desktops import DesktopTable
from cartrita.adapters.persistence.file_contents import ContentTable
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.uploads import UploadTable
from cartrita.application.conversations.conversations import Conversations
from cartrita.application.desktop.action_limits import ActionLimits
from cartrita.application.desktop.agent_desktops import AgentDesktops
from cartrita.application.desktop.batches import BatchParts
from cartrita.application.desktop.control import DesktopLeases
from cartrita.application.desktop.films import Films
from cartrita.application.desktop.keeper import DesktopKeeper
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.application.desktop.pictures import Pictures
from cartrita.application.desktop.sessions import DesktopPlan, DesktopSessions
from cartrita.application.files.files import Files
from cartrita.application.files.removal import FileRemoval
from cartrita.domain.desktop import Action, DesktopSession, DesktopSpec
from cartrita.domain.desktop_films import Shown
from cartrita.domain.files import FileQuota
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ports.conversations import MessageStore
from cartrita.domain.ports.desktop_sessions import DesktopLimits
from cartrita.domain.ports.desktop_use import DesktopCall, DesktopOutcome
from cartrita.domain.ports.runs import RunCancellation, RunReader
from cartrita.domain.principals import Principal
from cartrita.domain.step_places import StepPlace
from cartrita.kit.ids import uuid7

PRINCIPAL = Principal(ANN, "key")
MACHINE = "here"
SPEC = DesktopSpec(
    width=1280, height=800, apps={}, isolation=None, network=False, memory_bytes=1 << 30,
    processes=64, settle_s=0.1, start_timeout_s=1.0, action_timeout_s=1.0,
)  # fmt: skip
LIMITS = ActionLimits(hold_s=30.0, characters=100, handover_s=60.0, poll_s=0.01, looks_max=3)


class NoRuns:
    """No conversation has any."""

    async def active(self, *_: object) -> Sequence[RunId]:
        return ()


class DeskFixture:
    """The use cases of desktops; `told` is what the readers of runs were told."""

    def __init__(
        self,
        database: Database,
        *,
        machine: str = MACHINE,
        most: int = 100,
        idle_s: float = 900.0,
        lifetime_s: float = 3600.0,
        limits: DesktopLimits | None = None,
        actions: ActionLimits = LIMITS,
        enabled: bool = True,
    ) -> None:
        """Where desktops are not `enabled`, the machine has no name for them."""
        self.database = database
        self.screens, self.memory = Screens(), DesktopMemory()
        self.told: list[str] = []
        self.told_something = asyncio.Event()
        table = DesktopTable(database)
        self.removal = ConversationRemover(database)
        conversations = Conversations(
            ConversationTable(database),
            self.removal,
            cast("MessageStore", None),
            cast("RunReader", NoRuns()),
            cast("RunCancellation", None),
        )
        machine = machine if enabled else ""
        plan = DesktopPlan(
            machine=machine,
            spec=SPEC,
            lifetime_s=lifetime_s,
            idle_s=idle_s,
            limits=limits or DesktopLimits(machine=4, owner=2),
        )
        desktops = self.screens if enabled else None
        self.sessions = DesktopSessions(table, conversations, self.memory, desktops, plan)
        blobs, contents = Blobs(MemoryStore()), ContentTable(database, arrival_s=60)
        self.file_removal = FileRemoval(contents, blobs)
        quota = FileQuota(1000, 1 << 30)
        self.pictures = pictures = Pictures(
            UploadTable(database),
            FileTable(database),
            blobs,
            self.file_removal,
            quota,
            self.memory,
        )
        self.files = Files(FileTable(database), blobs, self.file_removal)
        self.films = Films(FilmTable(database), pictures, self.sessions, self.files, most=most)
        self.leases = DesktopLeases(self.sessions, table, self.films, seconds=60, seen_s=60)
        self.keeper = DesktopKeeper(
            table,
            self.sessions,
            self.memory,
            machine=machine,
            start_s=1,
            interval_s=60,
        )
        self.use = AgentDesktops(
            BatchParts(self.sessions, self.films, pictures, self.memory, actions)
        )
        self.run_id = RunId(uuid7())
        self._steps = 0

    def another_worker(self) -> "DeskFixture":
        """On the same machine, for the same run."""
        other = DeskFixture(self.database)
        other.screens.running, other.run_id = self.screens.running, self.run_id
        return other

    async def shown(self, conversation_id: ConversationId, *actions: Action) -> Shown | None:
        """What a person sees who is asked about these actions of the next step."""
        place = StepPlace((self._steps + 1, 1))
        return await self.use.shown(conversation_id, self.run_id, place, actions)

    async def conversation(self) -> ConversationId:
        return (await stored_conversation(self.database)).id

    async def started(self) -> DesktopSession:
        return await self.sessions.start(ANN, await self.conversation())

    def screen(self, session: DesktopSession) -> Screen:
        return self.screens.running[session.id]

    async def do(
        self, conversation_id: ConversationId, *actions: Action, **more: Any
    ) -> DesktopOutcome:
        """The call of a step of the agent, the next one if no `place` is told."""
        if "place" not in more:
            self._steps += 1
        call = DesktopCall(
            owner_id=ANN,
            conversation_id=conversation_id,
            run_id=self.run_id,
            place=StepPlace((self._steps, 1)),
            call_id="c1",
            actions=actions,
            approval=None,
            left=lambda: None,
            progress=self._tell,
        )
        return await self.use.do(msgspec.structs.replace(call, **more))

    async def film(self, session: DesktopSession) -> list[tuple[str, str | None]]:
        """What was done by whom, and the errors."""
        frames = await self.films.page(PRINCIPAL, session.public_id)
        return [(f"{one.actor} {one.action['type']}", one.error) for one in frames]

    async def _tell(self, status: str, _share: float | None) -> None:
        self.told.append(status)
        self.told_something.set()
