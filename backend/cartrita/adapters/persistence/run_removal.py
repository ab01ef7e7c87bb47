"""Deletion of one run with the messages that only it needs: implements RunRemoval."""

from uuid import UUID

import msgspec
from sqlalchemy import Uuid, case, delete, exists, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations, messages
from cartrita.adapters.persistence.tables.runs import run_events, runs
from cartrita.adapters.persistence.tree_changes import any_of, lock, set_head
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.runs import RunStatus

_m, _r = messages.c, runs.c
_ENDED = [status for status in RunStatus if status.ended]
_HEAD = conversations.c.head_message_id


class _Run(msgspec.Struct, frozen=True):
    """What is asked of a run.

    `brought` is how many messages were stored with it; `made` whether its admission made its
    conversation.
    """

    id: RunId
    conversation_id: ConversationId
    user_message_id: UUID
    message_id: UUID
    brought: int
    made: bool


class RunRemover:
    """Deletes a run, and what only it needs, in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove(self, owner_id: str, run_id: RunId) -> ConversationId | None:
        """See RunRemoval. Raises NotFound and Conflict."""
        async with self._database.transaction() as connection:
            run = await _ended_run(connection, owner_id, run_id)
            conversation_id = ConversationId(run.conversation_id)
            gone, end = await _own_messages(connection, run)
            await connection.execute(delete(run_events).where(run_events.c.run_id == run_id))
            await connection.execute(delete(runs).where(_r.id == run_id))
            if not gone:
                return None
            await connection.execute(delete(messages).where(_m.id == any_of(gone)))
            head = case((any_of(gone) == _HEAD, literal(end, Uuid)), else_=_HEAD)
            await set_head(connection, conversation_id, head)
            return None if await _is_needed(connection, run) else conversation_id


async def _ended_run(connection: AsyncConnection, owner_id: str, run_id: RunId) -> _Run:
    """The run; its conversation is locked."""
    made = (
        select(conversations.c.created_at == _r.created_at)
        .where(conversations.c.id == _r.conversation_id, conversations.c.external_id.is_(None))
        .scalar_subquery()
    )
    brought = _r.input["brought"].as_integer()
    query = select(
        _r.status, _r.conversation_id, _r.user_message_id, _r.message_id, brought, made
    ).where(_r.id == run_id, _r.owner_id == owner_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound.of("run")
    status, conversation_id, user_message_id, message_id, count, has_made = row
    await lock(connection, owner_id, conversation_id)
    if status not in _ENDED:
        raise Conflict("This answer is still being written.", code="run_not_ended")
    return _Run(
        id=run_id,
        conversation_id=conversation_id,
        user_message_id=user_message_id,
        message_id=message_id,
        brought=count or 0,
        made=bool(has_made),
    )


async def _own_messages(connection: AsyncConnection, run: _Run) -> tuple[list[UUID], UUID | None]:
    """The messages that only this run needs, and the one before them.

    They are its answer and those that were stored with it. What has been continued, or is answered
    by another run too, is needed by others.
    """
    gone: list[UUID] = []
    answered = await _exists(connection, run.message_id)
    current: UUID | None = run.message_id if answered else run.user_message_id
    left = run.brought + answered
    while current is not None and left and not await _is_followed(connection, run, current, gone):
        gone.append(current)
        left -= 1
        query = select(_m.parent_id).where(_m.id == current)
        current = (await connection.execute(query)).scalar_one_or_none()
    return gone, current


async def _exists(connection: AsyncConnection, message_id: UUID) -> bool:
    found = await connection.execute(select(_m.id).where(_m.id == message_id))
    return found.one_or_none() is not None


async def _is_followed(
    connection: AsyncConnection, run: _Run, message_id: UUID, gone: list[UUID]
) -> bool:
    """Whether messages that stay, or other runs, build on a message."""
    children = exists().where(_m.parent_id == message_id, ~(_m.id == any_of(gone)))
    others = exists().where(
        _r.conversation_id == run.conversation_id,
        _r.user_message_id == message_id,
        _r.id != run.id,
    )
    return bool((await connection.execute(select(or_(children, others)))).scalar_one())


async def _is_needed(connection: AsyncConnection, run: _Run) -> bool:
    """Whether the run's conversation holds anything, or was made by something else."""
    if not run.made:
        return True
    messages_left = exists().where(_m.conversation_id == run.conversation_id)
    runs_left = exists().where(_r.conversation_id == run.conversation_id)
    return bool((await connection.execute(select(or_(messages_left, runs_left)))).scalar_one())
