"""What agents did for an owner, counted from the owner's runs: implements AgentActivityReader."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables import conversations, runs
from cartrita.domain.agent_activity import AgentActivity
from cartrita.domain.runs import RunStatus

_c, _r = conversations.c, runs.c
_ACTIVE: Final = [status.value for status in RunStatus if not status.ended]


class AgentActivityTable:
    """Reads by the owner's conversations, which have an index; runs have none by owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def activity(self, owner_id: str, since: datetime) -> Sequence[AgentActivity]:
        """See `AgentActivityReader`."""
        recent = select(_c.id).where(_c.owner_id == owner_id, _c.updated_at >= since)
        query = (
            select(
                _r.agent,
                func.count(),
                func.max(_r.created_at),
                func.count().filter(_r.status.in_(_ACTIVE)),
            )
            .where(_r.conversation_id.in_(recent), _r.created_at >= since)
            .group_by(_r.agent)
        )
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).all()
        return [AgentActivity(agent, count, last, active) for agent, count, last, active in rows]
