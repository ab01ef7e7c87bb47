"""What reports of usage add up by: the columns, the names, and the calls that are meant."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Subquery, Text, and_, cast, func, or_, select

from cartrita.adapters.persistence.tables.access import api_keys
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.usage import usage_ledger
from cartrita.domain.ids import ConversationId, public_conversation_id
from cartrita.domain.ledger import NONE, UsageGroup, UsageGrouping, UsageQuery
from cartrita.kit import ids

_l, _k, _c = usage_ledger.c, api_keys.c, conversations.c

KEYS: Final[dict[UsageGrouping, ColumnElement[Any]]] = {
    UsageGrouping.MODEL: _l.provider + "/" + _l.model,
    UsageGrouping.PROVIDER: _l.provider,
    UsageGrouping.SURFACE: _l.surface,
    UsageGrouping.DAY: cast(func.date(func.timezone("UTC", _l.at)), Text),
    UsageGrouping.AGENT: _l.agent,
    UsageGrouping.KEY: _l.key_id,
    UsageGrouping.CONVERSATION: _l.conversation_id,
}
"""What tells the groups apart."""


def meant(query: UsageQuery) -> ColumnElement[bool]:
    """The calls that a report is of; those of the owner in a time are found by an index."""
    of_owner = _l.owner_id == query.owner_id
    return and_(of_owner, _l.at >= query.since, _l.at < query.until, *_chosen(query))


def named(query: UsageQuery, groups: Subquery) -> tuple[FromClause, Sequence[ColumnElement[Any]]]:
    """What to select from, and the columns of `to_group`: the key of the group and its names."""
    key = groups.c.key
    match query.grouping:
        case UsageGrouping.KEY:
            own = and_(_k.id == key, _k.owner_id == query.owner_id)
            return groups.outerjoin(api_keys, own), (key, _k.name)
        case UsageGrouping.CONVERSATION:
            own = and_(_c.id == key, _c.owner_id == query.owner_id)
            return groups.outerjoin(conversations, own), (key, _c.title, _c.external_id)
        case _:
            return groups, (key,)


def to_group(
    key: UUID | str | None, name: str | None = None, given: str | None = None
) -> UsageGroup:
    """The group of these columns; of what has no name any more its id has to do."""
    if key is None:
        return NONE
    if isinstance(key, UUID):
        key = public_conversation_id(ConversationId(key), given)
    return UsageGroup(name=name or key, id=key)


def _chosen(query: UsageQuery) -> list[ColumnElement[bool]]:
    which = query.which
    chosen = [
        column == value
        for column, value in (
            (_l.provider, which.provider),
            (_l.surface, which.surface),
            (_l.agent, which.agent),
            (_l.key_id, which.key_id),
        )
        if value is not None
    ]
    if which.model is not None:
        chosen.append(or_(_l.model == which.model, _l.provider + "/" + _l.model == which.model))
    if which.conversation_id is not None:
        chosen.append(_in_conversation(query.owner_id, which.conversation_id))
    return chosen


def _in_conversation(owner_id: str, public_id: str) -> ColumnElement[bool]:
    """Those in a conversation, which may be deleted by now unless its owner named it."""
    named_so = select(_c.id).where(_c.owner_id == owner_id, _c.external_id == public_id)
    within = _l.conversation_id.in_(named_so)
    own_id = ids.parse("conv", public_id)
    return within if own_id is None else or_(within, _l.conversation_id == own_id)
