"""Credentials in Postgres."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.backend.adapters.persistence.accounts import a_user, change, stored_user
from tests.harness.rows import ANN, BEGIN, BOB

from cartrita.adapters.persistence.audit import AuditTable
from cartrita.adapters.persistence.credentials import CredentialTable
from cartrita.adapters.persistence.data_keys import DataKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.credentials import (
    CredentialState,
    Payer,
    ProviderCredential,
    StoredCredential,
    WrappedKey,
)
from cartrita.kit import clock

DAY = timedelta(days=1)
KEY = WrappedKey("k", "t", "w1", b"wrapped")


@pytest.fixture
async def table(pool: Database) -> CredentialTable:
    for owner_id in (ANN, BOB):
        await stored_user(pool, a_user(owner_id, "t"))
    await stored_user(pool, a_user("eve", "other"))
    made = CredentialTable(pool)
    await DataKeyTable(pool).add(KEY)
    return made


def a_credential(
    identity: str, owner_id: str | None = ANN, version: int = 1, provider: str = "openai"
) -> StoredCredential:
    made = ProviderCredential(
        id=identity,
        tenant_id="t",
        owner_id=owner_id,
        provider=provider,
        version=version,
        hint="abcd",
        created_at=BEGIN + version * DAY,
        validated_at=BEGIN,
    )
    return StoredCredential(made, "k", b"encrypted " + identity.encode())


async def added(
    table: CredentialTable, stored: StoredCredential, *, days: int = 9
) -> StoredCredential:
    """Store it; the one before it retires so many days after the beginning, which is long ago."""
    assert await table.add(stored, change(), retires_at=BEGIN + days * DAY)
    return stored


async def test_what_is_stored_comes_back_whole(table: CredentialTable) -> None:
    stored = await added(table, a_credential("c1"))
    assert await table.get("c1") == stored
    assert await table.get("C1") is None
    assert await table.latest("t", ANN, "openai") == stored
    assert await table.latest("t", None, "openai") is None
    assert await table.latest("other", ANN, "openai") is None


async def test_a_call_is_paid_by_the_own_or_the_tenants(table: CredentialTable) -> None:
    own = await added(table, a_credential("own"))
    shared = await added(table, a_credential("shared", None))
    bobs = await added(table, a_credential("bobs", BOB, provider="anthropic"))

    async def active(tenant: str, owner: str) -> list[StoredCredential]:
        found = await table.active(Payer(tenant, owner))
        return sorted(found, key=lambda one: one.credential.id)

    assert await active("t", ANN) == [own, shared]
    assert await active("t", BOB) == [bobs, shared]
    assert await active("other", "eve") == []
    assert await active("other", ANN) == []


async def test_a_newer_one_retires_the_one_before(table: CredentialTable) -> None:
    await added(table, a_credential("c1"))
    await added(table, a_credential("of all", None))
    newer = await added(table, a_credential("c2", version=2))
    old = await table.get("c1")
    assert old is not None
    assert old.credential.retires_at == BEGIN + 9 * DAY
    assert old.credential.state(BEGIN + DAY) is CredentialState.RETIRING
    assert old.credential.state(BEGIN + 9 * DAY) is CredentialState.REVOKED
    assert {one.credential.id for one in await table.active(Payer("t", ANN))} == {"c2", "of all"}
    assert await table.latest("t", ANN, "openai") == newer
    assert not await table.add(a_credential("c3", version=2), change(), retires_at=BEGIN)
    still = await table.get("c2")
    assert still is not None
    assert still.credential.retires_at is None


async def test_what_is_revoked_has_no_key_any_more(table: CredentialTable, pool: Database) -> None:
    await added(table, a_credential("c1"))
    await added(table, a_credential("c2", BOB))
    assert await table.revoke("c1", BEGIN + DAY, change("credential.revoke"))
    assert not await table.revoke("c1", BEGIN + 2 * DAY, change("credential.revoke"))
    revoked = await table.get("c1")
    assert revoked is not None
    assert (revoked.ciphertext, revoked.credential.revoked_at) == (b"", BEGIN + DAY)
    assert revoked.credential.state(BEGIN) is CredentialState.REVOKED
    assert await table.active(Payer("t", ANN)) == []
    assert await table.ended(["c1", "c2", "none"]) == {"c1"}
    logged = await AuditTable(pool).page(None, limit=9)
    assert [entry.action for entry in logged].count("credential.revoke") == 1
    await added(table, a_credential("c3", version=2))


async def test_those_that_ended_lately_are_told_unasked(table: CredentialTable) -> None:
    for credential_id, owner, ended in [("c1", ANN, clock.now()), ("c2", BOB, BEGIN - 999 * DAY)]:
        await added(table, a_credential(credential_id, owner))
        assert await table.revoke(credential_id, ended, change("credential.revoke"))
    assert await table.ended([]) == {"c1"}


async def test_those_that_have_retired_are_swept(table: CredentialTable) -> None:
    assert await table.sweep() == 0
    await added(table, a_credential("c1"))
    await added(table, a_credential("c2", version=2), days=-999)
    await added(table, a_credential("c3", version=3), days=99_999)
    assert await table.ended(["c1", "c2", "c3"]) == {"c1"}
    assert await table.sweep() == 1
    swept = await table.get("c1")
    assert swept is not None
    assert (swept.ciphertext, swept.credential.revoked_at) == (b"", BEGIN - 999 * DAY)
    assert await table.sweep() == 0


async def test_they_are_listed_in_pages_the_oldest_first(table: CredentialTable) -> None:
    await added(table, a_credential("c1"))
    await added(table, a_credential("c2", version=2))
    await added(table, a_credential("c3", None, version=3))
    await added(table, a_credential("c4", BOB, version=4))

    async def ids(owner: str | None, after: str | None = None) -> list[str]:
        return [one.id for one in await table.page("t", owner, after=after, limit=2)]

    assert await ids(ANN) == ["c1", "c2"]
    assert await ids(ANN, "c2") == ["c3"]
    assert await ids(None) == ["c3"]
    assert await table.page("other", "eve", after=None, limit=2) == []


@pytest.mark.parametrize(
    "refused",
    [
        replace(a_credential("c").credential, owner_id="eve"),
        replace(a_credential("c").credential, tenant_id="other"),
        replace(a_credential("c").credential, hint="abcde"),
        replace(a_credential("c").credential, version=0),
    ],
)
async def test_the_table_takes_no_others(
    table: CredentialTable, refused: ProviderCredential
) -> None:
    with pytest.raises(IntegrityError):
        await table.add(StoredCredential(refused, "k", b"x"), change(), retires_at=BEGIN)
    assert await table.get("c") is None


async def test_every_change_is_told_to_all_processes(
    table: CredentialTable, pool: Database
) -> None:
    async def version() -> int:
        async with pool.use() as connection:
            found = await connection.execute(text("SELECT version FROM access_version"))
            return found.scalar_one()

    seen = [await version()]
    await added(table, a_credential("c1"))
    seen.append(await version())
    await table.revoke("c1", BEGIN, change())
    seen.append(await version())
    assert seen == sorted(set(seen))
