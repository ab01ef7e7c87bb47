"""What agents did for an owner, counted from runs and tasks: implements AgentActivityReader."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, extract, func, literal, null, select, union_all

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.adapters.persistence.tables.steps import agent_tasks
from cartrita.domain.agent_activity import AgentActivity
from cartrita.domain.runs import RunStatus

_c, _r, _t = conversations.c, runs.c, agent_tasks.c
_ACTIVE: Final = [status.value for status in RunStatus if not status.ended]
_BROKE: Final = [RunStatus.FAILED.value, RunStatus.INTERRUPTED.value]


class AgentActivityTable:
    """Reads runs by the owner's conversations, which have an index; runs have none by owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def activity(self, owner_id: str, since: datetime) -> Sequence[AgentActivity]:
        """See `AgentActivityReader`."""
        recent = select(_c.id).where(_c.owner_id == owner_id, _c.updated_at >= since)
        goes_on = _r.status.in_(_ACTIVE)
        completed = _r.status == RunStatus.COMPLETED.value
        answers = select(
            _r.agent,
            _r.created_at.label("at"),
            goes_on.label("active"),
            completed.label("completed"),
            _r.status.in_(_BROKE).label("broke"),
            extract("epoch", _r.ended_at - _r.started_at).label("seconds"),
        ).where(_r.conversation_id.in_(recent), _r.created_at >= since)
        tasks = (
            select(
                _t.agent,
                _t.begun_at,
                and_(goes_on, _t.ended_at.is_(None)),
                literal(False),
                literal(False),
                null(),
            )
            .join(runs, _r.id == _t.run_id)
            .where(_t.owner_id == owner_id, _t.begun_at >= since)
        )
        work = union_all(answers, tasks).subquery().c
        query = select(
            work.agent,
            func.count(),
            func.max(work.at),
            func.count().filter(work.active),
            func.count().filter(work.completed),
            func.count().filter(work.broke),
            func.avg(work.seconds).filter(work.completed),
        ).group_by(work.agent)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).all()
        return [
            AgentActivity(
                agent, count, last, active, completed, broke, None if mean is None else float(mean)
            )
            for agent, count, last, active, completed, broke, mean in rows
        ]
