"""The work of agents is counted of its owner alone, and of the time that is asked for."""

from datetime import timedelta

from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, BOB, execute, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.agent_activity import AgentActivityTable
from cartrita.adapters.persistence.database import Database
from cartrita.kit import clock

_AGENT = "UPDATE runs SET agent = $2 WHERE id = $1"
_TIMES = """
UPDATE runs SET started_at = created_at, ended_at = created_at + make_interval(secs => $2)
WHERE id = $1 AND status <> 'queued'
"""
_TASK = """
INSERT INTO agent_tasks (run_id, task_id, owner_id, agent, ended_at)
SELECT id, $2, owner_id, $3, CASE WHEN $4 THEN now() END FROM runs WHERE id = $1
"""


async def test_runs_are_counted_by_their_agents(
    database: TemporaryDatabase, pool: Database
) -> None:
    now = clock.now()
    for owner in (ANN, BOB):
        talk = await stored_conversation(pool, owner, updated_at=now)
        first, second = await stored_branch(pool, talk, "Write.", "Code.")
        for status, asked in (("completed", first), ("cancelled", first), ("queued", second)):
            run = await stored_run(database.dsn, talk, asked.id, status=status)
            await execute(database.dsn, _AGENT, run, "writer" if asked is first else "coder")
            await execute(database.dsn, _TIMES, run, 4.5)
        await execute(database.dsn, "UPDATE conversations SET updated_at = now()")
    table = AgentActivityTable(pool)
    found = {each.agent: each for each in await table.activity(ANN, now - timedelta(days=1))}
    assert {name: (each.times, each.active) for name, each in found.items()} == {
        "writer": (2, 0),
        "coder": (1, 1),
    }
    assert (found["writer"].success_rate, found["writer"].average_s) == (1.0, 4.5)
    assert (found["coder"].success_rate, found["coder"].average_s) == (None, None)
    assert all(each.last_used_at and each.last_used_at.tzinfo for each in found.values())
    assert await table.activity(ANN, now + timedelta(days=1)) == []


async def test_runs_that_broke_are_told_from_those_that_were_cancelled(
    database: TemporaryDatabase, pool: Database
) -> None:
    talk = await stored_conversation(pool, ANN, updated_at=clock.now())
    (asked,) = await stored_branch(pool, talk, "Write.")
    for status in ("completed", "failed", "interrupted", "cancelled"):
        run = await stored_run(database.dsn, talk, asked.id, status=status)
        await execute(database.dsn, _TIMES, run, 2.0)
    [found] = await AgentActivityTable(pool).activity(ANN, clock.now() - timedelta(days=1))
    assert (found.times, found.completed, found.broke) == (4, 1, 2)
    assert (found.success_rate, found.average_s) == (1 / 3, 2.0)


async def test_tasks_are_counted_by_the_agents_that_do_them(
    database: TemporaryDatabase, pool: Database
) -> None:
    now = clock.now()
    for owner in (ANN, BOB):
        talk = await stored_conversation(pool, owner, updated_at=now)
        (asked,) = await stored_branch(pool, talk, "Write.")
        done = await stored_run(database.dsn, talk, asked.id)
        going_on = await stored_run(database.dsn, talk, asked.id, status="queued")
        for run, task, agent, ended in (
            (done, "task_1_1", "writer", True),
            (done, "task_1_2", "analyst", False),
            (going_on, "task_1_1", "writer", False),
            (going_on, "task_1_2", "coder", True),
        ):
            await execute(database.dsn, _TASK, run, task, agent, ended)
    table = AgentActivityTable(pool)
    found = {each.agent: each for each in await table.activity(ANN, now - timedelta(days=1))}
    assert {name: (each.times, each.active) for name, each in found.items()} == {
        "assistant": (2, 1),
        "writer": (2, 1),
        "analyst": (1, 0),
        "coder": (1, 0),
    }
