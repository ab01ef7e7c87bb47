"""The agent_tasks table: tasks begin and end with their events."""

from tests.backend.adapters.runlog.fixtures import Cluster
from tests.backend.adapters.runlog.test_reaper import claim_manually
from tests.backend.adapters.runlog.watchdog import within

from cartrita.domain.events import TaskCompleted, TaskStarted

_TASKS = """
SELECT array_agg(
  concat_ws(' ', substr(task_id, 6), t.agent, CASE WHEN t.ended_at IS NOT NULL THEN 'ended' END)
  ORDER BY task_id)
FROM agent_tasks t JOIN runs r ON r.id = t.run_id AND r.owner_id = t.owner_id
"""


async def test_tasks_are_stored_as_they_begin_and_end(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run = await claim_manually(log)

        async def told(*events: TaskStarted | TaskCompleted) -> object:
            log.writer.record(run.run_id, events, [])
            await log.writer._flush()
            await within(log.writer.commit(run.run_id))
            return await cluster.value(_TASKS)

        first = TaskStarted("task_1_1", "c1", "writer", "Write.")
        second = TaskStarted("task_1_2", "c2", "coder", "Code.")
        ended = TaskCompleted("task_1_1", "writer", "Written.", True, 1.0)
        last = TaskCompleted("task_1_2", "coder", "", False, 1.0)
        assert await told(first, second, ended) == ["1_1 writer ended", "1_2 coder"]
        assert await told(first) == ["1_1 writer", "1_2 coder"], "its step is done again"
        assert await told(last) == ["1_1 writer", "1_2 coder ended"]
