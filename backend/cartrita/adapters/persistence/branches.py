"""Recursive queries over a conversation's message tree: path to the root, subtree, page."""

from sqlalchemy import CTE, ColumnElement, ScalarSelect, and_, func, select

from cartrita.adapters.persistence.tables.conversations import messages
from cartrita.domain.ids import MessageId

_SINGLE_SEARCH_DEPTH = 64
"""How far beyond a page a depth with a single message is searched for."""
_MAX_DEPTH = 2**30

_m = messages.c


def in_tree(owner_id: str) -> ColumnElement[bool]:
    """This owner's messages in the tree; a queued one is inserted when its run begins."""
    return and_(_m.owner_id == owner_id, _m.status != "queued")


def path(owner_id: str, tip: MessageId) -> CTE:
    """`id`, `parent_id` from the tip to the root."""
    start = select(_m.id, _m.parent_id).where(_m.id == tip, in_tree(owner_id))
    walk = start.cte("path", recursive=True)
    parent = messages.alias("parent").c
    further = select(parent.id, parent.parent_id).join(walk, parent.id == walk.c.parent_id)
    return walk.union_all(further.where(parent.owner_id == owner_id))


def below(owner_id: str, top: MessageId) -> CTE:
    """`id` of a message and of all its descendants."""
    start = select(_m.id).where(_m.id == top, _m.owner_id == owner_id)
    walk = start.cte("below", recursive=True)
    child = messages.alias("child").c
    further = select(child.id).join(walk, child.parent_id == walk.c.id)
    return walk.union_all(further.where(child.owner_id == owner_id))


def page(owner_id: str, tip: MessageId, limit: int, below_depth: int | None) -> CTE:
    """`id`, `depth` of at most `limit` messages from the tip towards the root.

    Costs what the page costs, not what the conversation does: a walk of `limit` steps, begun at
    `below_depth` and not at the tip where the conversation has a single message near there.
    """
    shallower = min(_MAX_DEPTH if below_depth is None else below_depth, _MAX_DEPTH)
    end = select(_m.id, _m.conversation_id, _m.depth).where(_m.id == tip, in_tree(owner_id))
    end = end.cte("tip")
    begin = select(end.c.id).scalar_subquery()
    if below_depth is not None:
        begin = func.coalesce(_single_message(owner_id, end, shallower), begin)
    lowest = select(func.least(end.c.depth + 1, shallower) - limit).scalar_subquery()
    walk = (
        select(_m.id, _m.parent_id, _m.depth, lowest.label("lowest"))
        .where(_m.id == begin, _m.owner_id == owner_id)
        .cte("walk", recursive=True)
    )
    parent = messages.alias("parent").c
    further = (
        select(parent.id, parent.parent_id, parent.depth, walk.c.lowest)
        .join(walk, parent.id == walk.c.parent_id)
        .where(parent.owner_id == owner_id, walk.c.depth > walk.c.lowest)
    )
    walk = walk.union_all(further)
    wanted = and_(walk.c.depth < shallower, walk.c.depth >= walk.c.lowest)
    return select(walk.c.id, walk.c.depth).where(wanted).cte("page")


def _single_message(owner_id: str, end: CTE, below_depth: int) -> ScalarSelect[object]:
    """The message at or just beyond the page that is the only one at its depth.

    The tip has one ancestor at each depth; where a depth has one message, it is that ancestor.
    """
    one = messages.alias("one").c
    near = one.depth.between(
        below_depth - 1, func.least(below_depth - 1 + _SINGLE_SEARCH_DEPTH, end.c.depth)
    )
    return (
        select(func.array_agg(one.id)[1])
        .where(one.conversation_id == end.c.conversation_id, near)
        .where(one.owner_id == owner_id, one.status != "queued")
        .group_by(one.depth)
        .having(func.count() == 1)
        .order_by(one.depth)
        .limit(1)
        .scalar_subquery()
    )
