"""Tasks for the agent that uses a desktop: begun, stopped, and handed over for a while."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final

import anyio
import msgspec
import structlog

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.desktop.films import Films
from cartrita.application.desktop.sessions import ENDED_BY_PERSON, DesktopSessions
from cartrita.application.runs.approvals import RunApprovals
from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.runs.runs import Runs
from cartrita.application.work_in_turn import WorkInTurn
from cartrita.domain.approvals import ApprovalPolicy, Decision, Verdict
from cartrita.domain.caps import Caps
from cartrita.domain.desktop import HAND_OVER, DesktopSession
from cartrita.domain.errors import CartritaError, Conflict
from cartrita.domain.events import LoggedEvent, RunStopped, StopStatus
from cartrita.domain.ids import RunId
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.ports.runs import EarlierRequests
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted, BusyPolicy, Idempotency, TailItem
from cartrita.domain.scopes import Operation
from cartrita.kit import ids
from cartrita.kit.secret import Secret

log = structlog.get_logger(__name__)

AGENT: Final = "computer_use"
_LET_GO_S: Final = 5.0
"""A display that hangs is not waited for any longer."""
_NOT_BEGUN: Final = "Its task did not begin."
_UNUSED: Final = "Its task failed before anything was done on it."
_SECRETS: Final = (
    "The person gave you secrets that you can type and never see: where you type "
    "{{{{secret:NAME}}}}, the secret of this name is typed. Their names: {names}."
)


class ComputerTask(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done on a desktop: on this one, or on a new one."""

    text: str
    session_id: str | None = None
    caps: Caps = Caps()
    approval: ApprovalPolicy | None = None
    provider: str | None = None
    model: str | None = None
    secrets: dict[str, Secret] = {}


class StartedTask(msgspec.Struct, frozen=True):
    """The run that does a task, and the desktop on which it does it, which may be `made` for it."""

    session: DesktopSession
    admitted: Admitted
    made: bool = False


class ComputerTasks:
    """Tasks of the principal. `earlier` knows those that were given before."""

    def __init__(
        self,
        sessions: DesktopSessions,
        films: Films,
        runs: Runs,
        approvals: RunApprovals,
        conversations: Conversations,
        earlier: EarlierRequests,
        in_turn: WorkInTurn,
    ) -> None:
        self._sessions = sessions
        self._films = films
        self._runs = runs
        self._approvals = approvals
        self._conversations = conversations
        self._earlier = earlier
        self._in_turn = in_turn

    async def start(
        self, principal: Principal, task: ComputerTask, idempotency: Idempotency | None = None
    ) -> StartedTask:
        """Begin a task, or find the one that an equal request began, with its desktop.

        Raises NotFound, InvalidInput for a model that cannot see, Forbidden, Conflict where the
        desktop is gone, elsewhere or busy, IdempotencyMismatch, and what starting a desktop raises.
        """
        if idempotency is None:
            return await self._begin(principal, task)
        name = f"key:{idempotency.route}:{idempotency.key}"
        async with self._in_turn.holding(principal.owner_id, [name]):
            found = await self._earlier.earlier(principal.owner_id, idempotency, None)
            if found is None:
                return await self._begin(principal, task, idempotency)
            return StartedTask(await self._sessions.latest(found.conversation_id), found)

    async def _begin(
        self, principal: Principal, task: ComputerTask, idempotency: Idempotency | None = None
    ) -> StartedTask:
        loosened = _loosened(principal, task.approval)
        session = None
        if task.session_id is not None:
            session = await self._sessions.get(principal, task.session_id)
            await self._sessions.opened(session)
            await self._require_idle(principal, session)
        await self._runs.require(principal, AGENT, task.provider, task.model)
        if session is not None:
            return await self._begin_on(session, principal, task, loosened, idempotency)
        session = await self._sessions.create(principal, None)
        try:  # nothing may fail once it is admitted: who tries again finds it, and its desktop
            await self._keep(session, {}, None)
            admitted = await self._admit(session, principal, task, loosened, idempotency)
        except BaseException:
            await self._sessions.discard(principal, session, _NOT_BEGUN)
            raise
        with anyio.move_on_after(_LET_GO_S, shield=True) as keeping:
            try:
                await self._keep(session, task.secrets, admitted.run_id)
            except CartritaError as error:  # its agent is told that they are not known any more
                log.warning("secrets_not_kept", desktop=session.id.hex, code=error.code)
        if keeping.cancelled_caught:
            log.warning("secrets_not_kept", desktop=session.id.hex, waited_s=_LET_GO_S)
        return StartedTask(session, admitted, made=True)

    async def _begin_on(
        self,
        session: DesktopSession,
        principal: Principal,
        task: ComputerTask,
        loosened: ApprovalPolicy | None,
        idempotency: Idempotency | None,
    ) -> StartedTask:
        """Only what was admitted has its secrets kept: those of the running task are not lost."""
        admitted = await self._admit(session, principal, task, loosened, idempotency)
        try:
            await self._keep(session, task.secrets, admitted.run_id)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._runs.cancel(principal, ids.public("run", admitted.run_id))
            raise
        return StartedTask(session, admitted)

    async def _keep(
        self, session: DesktopSession, secrets: dict[str, Secret], run_id: RunId | None
    ) -> None:
        await (await self._sessions.opened(session)).keep(secrets, run_id)

    async def _admit(
        self,
        session: DesktopSession,
        principal: Principal,
        task: ComputerTask,
        loosened: ApprovalPolicy | None,
        idempotency: Idempotency | None,
    ) -> Admitted:
        command = ChatCommand(
            message=Message(Role.USER, (Text(task.text),)),
            conversation_id=session.public_conversation_id,
            agent=AGENT,
            provider=task.provider,
            model=task.model,
            instructions=_told(task.secrets),
            caps=task.caps,
            approval=task.approval,
            loosened_to=loosened,
            busy=BusyPolicy.REJECT,
        )
        return await self._runs.start(principal, command, idempotency)

    @asynccontextmanager
    async def tail(
        self, principal: Principal, started: StartedTask
    ) -> AsyncGenerator[AsyncIterator[TailItem | None]]:
        """The events of its run. When the last is told, what `end_unused` ends has ended."""
        async with (
            self._runs.tail(started.admitted.run_id, 0) as items,
            aclosing(self._ending_unused(principal, started, items)) as told,
        ):
            yield told

    async def end_unused(
        self, principal: Principal, started: StartedTask, stopped: RunStopped
    ) -> bool:
        """End the desktop that was made for a task which failed, if nothing was done on it.

        Whether it has ended: who tries again would have one desktop more each time.
        """
        if not started.made or stopped.kind is StopStatus.CANCELLED:
            return not started.session.alive  # it may be that of an equal request before
        try:
            if await self._films.page(principal, started.session.public_id, limit=1):
                return False
            await self._sessions.end(started.session, _UNUSED)
        except CartritaError as error:  # it ends when it is idle, and why the task failed is told
            log.info("desktop_not_ended", code=error.code)
            return False
        return True

    async def stop(self, principal: Principal, desktop: str) -> DesktopSession:
        """Cancel what agents do on a desktop: at most the action in hand is done to its end."""
        session = await self._sessions.get(principal, desktop)
        await self._cancel(principal, session)
        with (
            suppress(CartritaError),
            anyio.move_on_after(_LET_GO_S),
        ):  # of one that has ended, or is a person's, nothing is held
            await (await self._sessions.opened(session)).let_go()
        return session

    async def end(self, principal: Principal, desktop: str) -> None:
        """End a desktop, and what is done on it."""
        session = await self._sessions.get(principal, desktop)
        if session.alive:
            await self._cancel(principal, session)
            await self._sessions.end(session, ENDED_BY_PERSON)

    async def go_on(self, principal: Principal, session: DesktopSession) -> None:
        """Have an agent go on that asked the person to take the desktop over."""
        for run in await self._conversations.unfinished_runs(
            principal, session.public_conversation_id
        ):
            verdicts = [
                Verdict(one.id, Decision.APPROVED, one.arguments_hash)
                for one in await self._approvals.waiting(principal, run.id)
                if one.tool == HAND_OVER
            ]
            if verdicts:
                await self._approvals.decide_all(principal, run.id, verdicts)

    async def _ending_unused(
        self, principal: Principal, started: StartedTask, items: AsyncIterator[TailItem | None]
    ) -> AsyncGenerator[TailItem | None]:
        async for item in items:
            if isinstance(item, LoggedEvent) and isinstance(item.event, RunStopped):
                await self.end_unused(principal, started, item.event)
            yield item

    async def _cancel(self, principal: Principal, session: DesktopSession) -> None:
        conversation = session.public_conversation_id
        for run in await self._conversations.unfinished_runs(principal, conversation):
            await self._runs.cancel(principal, ids.public("run", run.id))

    async def _require_idle(self, principal: Principal, session: DesktopSession) -> None:
        """Raise Conflict while an agent does something else on the desktop."""
        conversation = session.public_conversation_id
        if await self._conversations.unfinished_runs(principal, conversation):
            raise Conflict(
                "An agent is busy on this desktop: wait for it, or stop it.", code="desktop_busy"
            )


def _loosened(principal: Principal, asked: ApprovalPolicy | None) -> ApprovalPolicy | None:
    """The policy instead of the agent's own. Raises Forbidden for keys that may not choose it."""
    if asked is not ApprovalPolicy.NEVER:
        return None
    principal.scopes.require_operation(Operation.DESKTOP_NEVER)
    return asked


def _told(secrets: dict[str, Secret]) -> str | None:
    names = ", ".join(f"{{{{secret:{name}}}}}" for name in secrets)
    return _SECRETS.format(names=names) if secrets else None
