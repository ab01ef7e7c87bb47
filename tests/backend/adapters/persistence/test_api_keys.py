"""Keys in Postgres."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from tests.harness.rows import ANN, BEGIN, BOB

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.api_keys import ApiKey, StoredApiKey

DAY = timedelta(days=1)


@pytest.fixture
def table(pool: Database) -> ApiKeyTable:
    return ApiKeyTable(pool)


def a_key(identity: str, owner_id: str = ANN, *, days: int = 0) -> StoredApiKey:
    made = ApiKey(id=identity, owner_id=owner_id, name="n", created_at=BEGIN + days * DAY)
    return StoredApiKey(made, b"digest of " + identity.encode())


async def test_what_is_stored_comes_back_whole(table: ApiKeyTable) -> None:
    key = ApiKey(id="k", owner_id=ANN, name="n", created_at=BEGIN, expires_at=BEGIN + DAY)
    await table.add(StoredApiKey(key, bytes(range(32))))
    assert await table.get("k") == StoredApiKey(key, bytes(range(32)))
    assert await table.get("K") is None


async def test_an_id_is_given_once(table: ApiKeyTable) -> None:
    await table.add(a_key("k"))
    with pytest.raises(IntegrityError):
        await table.add(a_key("k", BOB))


async def test_keys_are_listed_by_owner_the_oldest_first(table: ApiKeyTable) -> None:
    for key in (a_key("new", days=2), a_key("old", days=1), a_key("bobs", BOB)):
        await table.add(key)
    assert [key.id for key in await table.list(ANN)] == ["old", "new"]
    assert [key.id for key in await table.list(BOB)] == ["bobs"]
    assert [key.id for key in await table.list(None)] == ["bobs", "old", "new"]
    assert await table.list("nobody") == []


async def test_a_revoked_key_says_since_when(table: ApiKeyTable) -> None:
    await table.add(a_key("k"))
    await table.add(a_key("other"))
    assert await table.revoke("k", BEGIN)
    assert await table.revoke("k", BEGIN + DAY)
    stored, other = await table.get("k"), await table.get("other")
    assert stored is not None
    assert other is not None
    assert (stored.key.revoked_at, other.key.revoked_at) == (BEGIN, None)
    assert not await table.revoke("none such", BEGIN)
