"""Changes of keys and users: learned at once by NOTIFY, and by a poll where that is lost."""

import asyncio

import asyncpg
import pytest
from tests.backend.adapters.runlog.fixtures import Cluster
from tests.backend.adapters.runlog.watchdog import within

from cartrita.adapters.runlog.run_log import RunLog

CHANGES = (
    "UPDATE api_keys SET revoked_at = now() WHERE id = 'k'",
    "UPDATE users SET disabled_at = now() WHERE id = 'ann'",
    "UPDATE tenants SET disabled_at = now() WHERE id = 'ann'",
    "DELETE FROM api_keys",
)


async def with_a_key(cluster: Cluster) -> None:
    """The tests of a module share their database."""
    for statement in (
        "INSERT INTO tenants (id, name) VALUES ('ann', 'ann')",
        "INSERT INTO users (id, tenant_id, name, role) VALUES ('ann', 'ann', 'ann', 'member')",
        "INSERT INTO api_keys (id, owner_id, name, digest) VALUES ('k', 'ann', 'n', '')",
    ):
        await cluster.connection.execute(f"{statement} ON CONFLICT DO NOTHING")


async def changed(log: RunLog) -> None:
    await within(asyncio.ensure_future(log.access_changes.wait()))


async def quiet(log: RunLog) -> None:
    """Take what was changed before."""
    await changed(log)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await log.access_changes.wait()


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_notified(cluster: Cluster, change: str) -> None:
    """poll_s is an hour."""
    await with_a_key(cluster)
    async with cluster.replica(0, poll_s=3600) as log:
        await quiet(log)
        await cluster.connection.execute(change)
        await changed(log)


async def test_a_change_of_which_no_notification_arrives_is_polled(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_a_key(cluster)
    monkeypatch.setattr("cartrita.adapters.runlog.access_feed.CHANNEL", "cartrita_elsewhere")
    async with cluster.replica(0, poll_s=0.05) as log:
        await quiet(log)
        for change in CHANGES:
            await cluster.connection.execute(change)
            await changed(log)


async def test_changes_in_overlapping_transactions_are_each_counted(cluster: Cluster) -> None:
    """Whichever begins or commits first."""
    await with_a_key(cluster)
    other = await asyncpg.connect(cluster.dsn)
    try:
        async with cluster.replica(0, poll_s=3600) as log:
            await quiet(log)
            before = await cluster.value("SELECT version FROM access_version")
            for first, second in ((other, cluster.connection), (cluster.connection, other)):
                async with first.transaction():
                    await first.execute(CHANGES[1])
                    waiting = asyncio.ensure_future(second.execute(CHANGES[0]))
                await within(waiting)
                await changed(log)
            assert await cluster.value("SELECT version FROM access_version") == before + 4
    finally:
        await other.close()
