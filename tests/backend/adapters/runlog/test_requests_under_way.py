"""What is under way is held once among all replicas, and ends with the one that holds it."""

from tests.backend.adapters.runlog.executions import maintain
from tests.backend.adapters.runlog.fixtures import Cluster

from cartrita.kit.ids import uuid7

LONG = 3600.0


async def test_one_of_all_replicas_holds_a_name(cluster: Cluster) -> None:
    first, second = uuid7(), uuid7()
    async with cluster.replica() as one, cluster.replica(slot=1) as other:
        assert await one.under_way.take("ann", "key:1", first, LONG)
        assert not await other.under_way.take("ann", "key:1", second, LONG)
        assert await other.under_way.take("bob", "key:1", second, LONG)
        assert await other.under_way.take("ann", "key:2", second, LONG)
        await other.under_way.leave("ann", "key:1", second)
        assert not await other.under_way.take("ann", "key:1", second, LONG), "it is not its own"
        await one.under_way.leave("ann", "key:1", first)
        assert await other.under_way.take("ann", "key:1", second, LONG)


async def test_what_ends_with_its_replica_or_its_time_is_free(cluster: Cluster) -> None:
    async with cluster.replica() as one:
        assert await one.under_way.take("ann", "key:1", uuid7(), LONG)
    async with cluster.replica(slot=1) as other:
        assert await other.under_way.take("ann", "key:1", uuid7(), 0.0)
        assert await other.under_way.take("ann", "key:1", uuid7(), LONG)


async def test_what_is_renewed_is_held_on_and_what_was_given_back_is_not(cluster: Cluster) -> None:
    holder, gone = uuid7(), uuid7()
    async with cluster.replica() as one, cluster.replica(slot=1) as other:
        assert await one.under_way.take("ann", "key:1", holder, LONG)
        assert await one.under_way.take("ann", "key:2", gone, LONG)
        await one.under_way.leave("ann", "key:2", gone)
        await one.under_way.renew([gone], LONG)
        assert await other.under_way.take("ann", "key:2", uuid7(), LONG)
        await one.under_way.renew([holder], LONG)
        assert not await other.under_way.take("ann", "key:1", uuid7(), LONG)
        await one.under_way.renew([holder], 0.0)
        assert await other.under_way.take("ann", "key:1", uuid7(), LONG), "it ends with that time"


async def test_maintenance_forgets_what_took_too_long(cluster: Cluster) -> None:
    async with cluster.replica() as one:
        assert await one.under_way.take("cay", "key:1", uuid7(), 0.0)
        assert await one.under_way.take("cay", "key:2", uuid7(), LONG)
        await maintain(one)
        rows = await cluster.rows("SELECT name FROM requests_under_way WHERE owner_id = 'cay'")
    assert [row["name"] for row in rows] == ["key:2"]
