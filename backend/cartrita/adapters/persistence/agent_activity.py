"""What agents did for an owner, counted from runs and tasks: implements AgentActivityReader."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, func, select, union_all

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.adapters.persistence.tables.steps import agent_tasks
from cartrita.domain.agent_activity import AgentActivity
from cartrita.domain.runs import RunStatus

_c, _r, _t = conversations.c, runs.c, agent_tasks.c
_ACTIVE: Final = [status.value for status in RunStatus if not status.ended]


class AgentActivityTable:
    """Reads runs by the owner's conversations, which have an index; runs have none by owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def activity(self, owner_id: str, since: datetime) -> Sequence[AgentActivity]:
        """See `AgentActivityReader`."""
        recent = select(_c.id).where(_c.owner_id == owner_id, _c.updated_at >= since)
        goes_on = _r.status.in_(_ACTIVE)
        answers = select(_r.agent, _r.created_at.label("at"), goes_on.label("active")).where(
            _r.conversation_id.in_(recent), _r.created_at >= since
        )
        tasks = (
            select(_t.agent, _t.begun_at, and_(goes_on, _t.ended_at.is_(None)))
            .join(runs, _r.id == _t.run_id)
            .where(_t.owner_id == owner_id, _t.begun_at >= since)
        )
        work = union_all(answers, tasks).subquery().c
        query = select(
            work.agent, func.count(), func.max(work.at), func.count().filter(work.active)
        ).group_by(work.agent)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).all()
        return [AgentActivity(agent, count, last, active) for agent, count, last, active in rows]
