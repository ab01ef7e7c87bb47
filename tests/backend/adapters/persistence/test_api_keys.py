"""Keys in Postgres, with what is known of their users."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.backend.adapters.persistence.accounts import a_user, change, stored_user
from tests.harness.rows import ANN, BEGIN, BOB

from cartrita.adapters.persistence.accounts import TenantTable, UserTable
from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.audit import AuditTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.accounts import AccountChanges, UserRole
from cartrita.domain.api_keys import ApiKey, KeyChanges, KeyFilter, StoredApiKey, Succession
from cartrita.domain.scopes import NOTHING, UNLIMITED, Scopes

DAY = timedelta(days=1)
SOME = Scopes(models=("openai/*",), operations=("chat",), requests_per_minute=5)


@pytest.fixture
async def table(pool: Database) -> ApiKeyTable:
    for owner_id in (ANN, BOB):
        await stored_user(pool, a_user(owner_id))
    return ApiKeyTable(pool)


def a_key(identity: str, owner_id: str = ANN, *, days: int = 0) -> StoredApiKey:
    made = ApiKey(id=identity, owner_id=owner_id, name="n", created_at=BEGIN + days * DAY)
    return StoredApiKey(made, b"digest of " + identity.encode(), owner_id)


def ids(found: list[StoredApiKey]) -> list[str]:
    return [stored.key.id for stored in found]


async def test_what_is_stored_comes_back_whole(table: ApiKeyTable) -> None:
    key = ApiKey(
        id="k", owner_id=ANN, name="n", created_at=BEGIN, expires_at=BEGIN + DAY, scopes=SOME
    )
    stored = StoredApiKey(key, bytes(range(32)), ANN)
    assert await table.add(stored, change())
    assert await table.get("k") == stored
    assert await table.get("K") is None
    await table.add(a_key("other"), change())
    unlimited = await table.get("other")
    assert unlimited is not None
    assert unlimited.key.scopes is UNLIMITED  # which the hot path tells by its identity
    assert {*ids(await table.get_many(["other", "none", "k"]))} == {"k", "other"}


async def test_an_id_is_given_once_and_an_owner_is_a_user(table: ApiKeyTable) -> None:
    await table.add(a_key("k"), change())
    for refused in (a_key("k", BOB), a_key("new", "nobody")):
        with pytest.raises(IntegrityError):
            await table.add(refused, change())


async def test_keys_are_listed_in_pages_the_oldest_first(table: ApiKeyTable) -> None:
    for key in (a_key("new", days=2), a_key("old", days=1), a_key("bobs", BOB)):
        await table.add(key, change())
    assert ids(await table.page(KeyFilter(owner_id=ANN))) == ["old", "new"]
    assert ids(await table.page(KeyFilter(tenant_id=BOB))) == ["bobs"]
    assert ids(await table.page(KeyFilter(owner_id="nobody"))) == []
    assert ids(await table.page(KeyFilter(), limit=2)) == ["bobs", "old"]
    assert ids(await table.page(KeyFilter(), after="old", limit=2)) == ["new"]
    assert ids(await table.page(KeyFilter(), after="none")) == []


async def test_a_revoked_key_says_since_when(table: ApiKeyTable) -> None:
    await table.add(a_key("k"), change())
    await table.add(a_key("other"), change())
    assert await table.change("k", KeyChanges(revoked_at=BEGIN), change())
    assert await table.change("k", KeyChanges(revoked_at=BEGIN + DAY, scopes=SOME), change())
    stored, other = await table.get("k"), await table.get("other")
    assert stored is not None
    assert other is not None
    assert (stored.key.revoked_at, stored.key.scopes) == (BEGIN, SOME)
    assert other.key.revoked_at is None
    assert not await table.change("none such", KeyChanges(revoked_at=BEGIN), change())


async def test_a_key_is_replaced_once(table: ApiKeyTable, pool: Database) -> None:
    await table.add(a_key("old"), change())
    assert await table.add(a_key("new"), change("key.rotate"), Succession("old", BEGIN))
    old = await table.get("old")
    assert old is not None
    assert (old.key.replaced_by, old.key.retires_at) == ("new", BEGIN)
    assert not await table.add(a_key("third"), change("third"), Succession("old", BEGIN + DAY))
    assert await table.get("third") is None
    await table.change("new", KeyChanges(revoked_at=BEGIN), change())
    assert not await table.add(a_key("third"), change("third"), Succession("new", BEGIN))
    logged = [entry.action for entry in await AuditTable(pool).page(None, limit=9)]
    assert "third" not in logged
    assert "key.rotate" in logged


async def test_its_user_and_tenant_enable_it(table: ApiKeyTable, pool: Database) -> None:
    await table.add(a_key("k"), change())
    users, tenants = UserTable(pool), TenantTable(pool)

    async def state() -> tuple[bool, bool]:
        stored = await table.get("k")
        assert stored is not None
        return stored.enabled, stored.admin

    assert await state() == (True, False)
    for accounts in (users, tenants):
        await accounts.change(ANN, AccountChanges(disabled=True), change())
        assert await state() == (False, False)
        await accounts.change(ANN, AccountChanges(disabled=False), change())
    await users.change(ANN, AccountChanges(role=UserRole.ADMIN), change())
    assert await state() == (True, True)


async def test_scopes_of_a_newer_version_allow_nothing(table: ApiKeyTable, pool: Database) -> None:
    await table.add(a_key("k"), change())
    async with pool.use() as connection:
        await connection.execute(text("""UPDATE api_keys SET scopes = '{"moons": ["io"]}'"""))
    stored = await table.get("k")
    assert stored is not None
    assert (stored.enabled, stored.key.scopes) == (False, NOTHING)
