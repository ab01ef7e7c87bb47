"""Where a conversation branches, and which branch is its current one: implements BranchStore."""

from sqlalchemy import exists, func, literal, select

from cartrita.adapters.persistence import branches
from cartrita.adapters.persistence.branches import in_tree
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import messages
from cartrita.adapters.persistence.tree_changes import lock, require_idle, set_head
from cartrita.domain.errors import NotFound
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.messages import Siblings

_m = messages.c


class BranchTable:
    """Messages that share a parent; those of queued runs are not among them yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def siblings(
        self, owner_id: str, conversation_id: ConversationId, limit: int
    ) -> list[Siblings]:
        """See BranchStore."""
        in_order = func.array_agg(_m.id).aggregate_order_by(_m.created_at, _m.id)
        query = (
            select(_m.parent_id, in_order)
            .where(_m.conversation_id == conversation_id, in_tree(owner_id))
            .group_by(_m.parent_id)
            .having(func.count() > 1)
            .order_by(func.max(_m.depth).desc())
            .limit(limit)
        )
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).all()
        return [Siblings(parent, tuple(found)) for parent, found in rows]

    async def select(
        self, owner_id: str, conversation_id: ConversationId, message_id: MessageId
    ) -> None:
        """Raises Conflict while something is being answered there, and NotFound."""
        below = branches.below(owner_id, message_id)
        child = messages.alias("child_of_end").c
        end = (
            select(_m.id)
            .join(below, below.c.id == _m.id)
            .where(_m.conversation_id == conversation_id, in_tree(owner_id))
            .where(~exists().where(child.parent_id == _m.id, child.owner_id == owner_id))
            .order_by(_m.created_at.desc(), _m.id.desc())
            .limit(1)
        )
        async with self._database.transaction() as connection:
            await lock(connection, owner_id, conversation_id)
            await require_idle(connection, conversation_id)
            found = (await connection.execute(end)).scalar_one_or_none()
            if found is None:
                raise NotFound.of("message")
            await set_head(connection, conversation_id, literal(found))
