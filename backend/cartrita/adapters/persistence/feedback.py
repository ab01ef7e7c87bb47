"""Feedback in the database: implements FeedbackStore, and UnsentScores."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import (
    feedback,
    messages,
    unsent_scores,
)
from cartrita.domain.errors import NotFound
from cartrita.domain.feedback import Feedback, Score
from cartrita.domain.ids import MessageId

_f = feedback.c
_u = unsent_scores.c
_COLUMNS = (_f.message_id, _f.run_id, _f.score, _f.comment, _f.given_at)
_VALUES = (_f.score, _f.comment, _f.given_at)
_SCORE = (_u.message_id, _u.run_id, _u.score, _u.comment, _u.given_at)
_LONGEST_S: Final = 600.0
"""Between two attempts to send a score."""


class FeedbackTable:
    """Feedback on the answers of an owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, owner_id: str, given: Feedback, *, scored: bool) -> None:
        """See FeedbackStore."""
        values = (given.score, given.comment, given.given_at)
        statement = insert(feedback).from_select(
            ["message_id", "owner_id", "run_id", "score", "comment", "given_at", "scored"],
            select(
                messages.c.id,
                messages.c.owner_id,
                messages.c.run_id,
                *(
                    literal(value, column.type)
                    for value, column in zip(values, _VALUES, strict=True)
                ),
                literal(scored),
            ).where(messages.c.id == given.message_id, messages.c.owner_id == owner_id),
        )
        changed = {column.name: statement.excluded[column.name] for column in _VALUES}
        statement = statement.on_conflict_do_update(
            index_elements=[_f.message_id],
            set_={**changed, "scored": or_(_f.scored, statement.excluded.scored)},
        )
        async with self._database.transaction() as connection:
            stored = await connection.execute(statement)
            if not stored.rowcount:
                raise NotFound.of("message")
            if scored:
                await connection.execute(_unsent(owner_id, given.message_id))

    async def get(self, owner_id: str, message_id: MessageId) -> Feedback | None:
        """See FeedbackStore."""
        query = select(*_COLUMNS).where(_f.message_id == message_id, _f.owner_id == owner_id)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else msgspec.convert(row, Feedback)

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        """See FeedbackStore. A trigger of the table takes its score back."""
        statement = delete(feedback).where(_f.message_id == message_id, _f.owner_id == owner_id)
        async with self._database.transaction() as connection:
            return bool((await connection.execute(statement)).rowcount)


class UnsentScoreTable:
    """The scores that are still to be sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, again_s: float) -> Score | None:
        """See UnsentScores."""
        due = (
            select(_u.message_id)
            .where(_u.due_at <= func.now())
            .order_by(_u.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        wait = func.least(again_s * func.power(2, func.least(_u.attempts, 20)), _LONGEST_S)
        statement = (
            update(unsent_scores)
            .where(_u.message_id == due.scalar_subquery())
            .values(
                attempts=_u.attempts + 1, due_at=func.now() + wait * literal(timedelta(seconds=1))
            )
            .returning(*_SCORE)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else msgspec.convert(row, Score)

    async def sent(self, score: Score) -> None:
        """See UnsentScores."""
        of_it = _u.message_id == score.message_id
        same = delete(unsent_scores).where(of_it, _u.given_at == score.given_at)
        changed = update(unsent_scores).where(of_it).values(attempts=0, due_at=func.now())
        async with self._database.transaction() as connection:
            if not (await connection.execute(same)).rowcount:
                await connection.execute(changed)

    async def again(self, score: Score, again_s: float) -> None:
        """See UnsentScores."""
        wait = case((_u.given_at == score.given_at, again_s), else_=0.0)
        statement = (
            update(unsent_scores)
            .where(_u.message_id == score.message_id)
            .values(attempts=0, due_at=func.now() + wait * literal(timedelta(seconds=1)))
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement)

    async def forget(self, before: datetime) -> int:
        """See UnsentScores."""
        statement = delete(unsent_scores).where(_u.given_at < before)
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).rowcount

    async def count(self, before: datetime) -> int:
        """See UnsentScores."""
        query = select(func.count()).select_from(unsent_scores).where(_u.given_at < before)
        async with self._database.use() as connection:
            return (await connection.execute(query)).scalar_one()


def _unsent(owner_id: str, message_id: MessageId) -> Insert:
    """The feedback on a message is its score, which is to be sent.

    It is due when what it replaces is, which may be being sent: it must not be overtaken by that.
    """
    names = ["score", "comment", "given_at"]
    stored = select(_f.message_id, _f.run_id, *_VALUES, literal(0), func.now()).where(
        _f.message_id == message_id, _f.owner_id == owner_id
    )
    statement = insert(unsent_scores).from_select(
        ["message_id", "run_id", *names, "attempts", "due_at"], stored
    )
    changed = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=[_u.message_id], set_=changed)
