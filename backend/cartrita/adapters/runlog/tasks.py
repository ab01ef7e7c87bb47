"""Rows of the agent_tasks table: the tasks of agents, written with the events that tell of them."""

from collections.abc import Sequence

from cartrita.adapters.runlog.connection import Connection
from cartrita.domain.events import LoggedEvent, TaskCompleted, TaskStarted

# A step that is done again after a crash begins its tasks again.
_BEGIN = """
INSERT INTO agent_tasks (run_id, task_id, owner_id, agent)
SELECT t.run_id, t.task_id, r.owner_id, t.agent
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t (run_id, task_id, agent)
JOIN runs r ON r.id = t.run_id
ON CONFLICT (run_id, task_id) DO UPDATE SET ended_at = NULL
"""
_END = """
UPDATE agent_tasks t SET ended_at = now()
FROM unnest($1::uuid[], $2::text[]) AS e (run_id, task_id)
WHERE t.run_id = e.run_id AND t.task_id = e.task_id
"""


async def write_tasks(connection: Connection, events: Sequence[LoggedEvent]) -> None:
    """Store the tasks that begin and end with these events."""
    begun = [(one.run_id, one.event) for one in events if isinstance(one.event, TaskStarted)]
    if begun:
        await connection.execute(
            _BEGIN,
            [run_id for run_id, _ in begun],
            [task.task_id for _, task in begun],
            [task.agent for _, task in begun],
        )
    ended = [(one.run_id, one.event) for one in events if isinstance(one.event, TaskCompleted)]
    if ended:
        await connection.execute(
            _END, [run_id for run_id, _ in ended], [task.task_id for _, task in ended]
        )
