"""New messages: stored with their run, placed in the message tree at its start, or dropped."""

from uuid import UUID

from cartrita.adapters.runlog.connection import Connection
from cartrita.adapters.runlog.encoding import dump
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.runs import NewMessage
from cartrita.kit.ids import uuid7

DEPTH_PENDING = -1
"""The depth of queued messages whose place is determined when their run starts."""

_INSERT = """
INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts, status,
                      edited, metadata)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9)
"""
# A run's own new messages, from the one that it answers (0 back) up to the first.
_CHAIN = """
WITH RECURSIVE chain (id, parent_id, back) AS (
  SELECT id, parent_id, 0 FROM messages WHERE id = $1 AND status = 'queued'
  UNION ALL
  SELECT m.id, m.parent_id, back + 1 FROM chain JOIN messages m ON m.id = chain.parent_id
  WHERE m.status = 'queued')
"""
# The first of them becomes the child of the previous head, unless its parent was given.
_PLACE = f"""{_CHAIN}
UPDATE messages m SET status = 'complete',
  parent_id = CASE WHEN m.depth < 0 AND m.parent_id IS NULL THEN $2 ELSE m.parent_id END,
  depth = CASE WHEN m.depth >= 0 THEN m.depth ELSE
    coalesce((SELECT h.depth + 1 FROM messages h WHERE h.id = $2), 0)
    + (SELECT max(back) FROM chain) - chain.back END
FROM chain WHERE m.id = chain.id
"""
_DROP = f"{_CHAIN} DELETE FROM messages WHERE id IN (SELECT id FROM chain)"


async def insert_messages(
    connection: Connection,
    owner_id: str,
    conversation_id: ConversationId,
    new: NewMessage,
    depth: int,
) -> MessageId:
    """Store them as queued, each the child of the one before it; returns the id of the last.

    `depth` is that of the first, or DEPTH_PENDING for all of them.
    """
    messages = (*new.before, new.message)
    identities = [MessageId(uuid7()) for _ in messages]
    parents = (new.parent_id, *identities)
    last = len(new.before)
    rows = [
        (
            identities[number],
            owner_id,
            conversation_id,
            parents[number],
            depth if depth == DEPTH_PENDING else depth + number,
            message.role,
            dump(message.parts),
            new.edited and number == last,
            dump(new.metadata if number == last else {}),
        )
        for number, message in enumerate(messages)
    ]
    await connection.executemany(_INSERT, rows)
    return identities[-1]


async def place_messages(connection: Connection, message_id: UUID, head: UUID | None) -> None:
    """Put the queued messages that end at `message_id` into the tree, below `head`."""
    await connection.execute(_PLACE, message_id, head)


async def drop_messages(connection: Connection, message_id: UUID) -> None:
    """Delete the queued messages that end at `message_id`: their run ended without a start."""
    await connection.execute(_DROP, message_id)
