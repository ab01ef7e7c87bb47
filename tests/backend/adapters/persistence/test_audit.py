"""The audit log in Postgres."""

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError
from tests.backend.adapters.persistence.accounts import a_user, change, stored_user
from tests.harness.rows import ANN, BEGIN, BOB

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.audit import AuditTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.audit import Actor
from cartrita.domain.principals import Principal


async def test_entries_say_who_did_what_the_newest_first(pool: Database) -> None:
    await stored_user(pool, a_user(ANN))
    actor = Actor(Principal(ANN, "key-1", ANN), "192.0.2.7")
    key = ApiKey(id="k", owner_id=ANN, name="n", created_at=BEGIN)
    told = replace(change("key.create"), actor=actor, object="k", details={"name": "n"})
    await ApiKeyTable(pool).add(StoredApiKey(key, b"d"), told)
    audit = AuditTable(pool)
    newest, *older = await audit.page(ANN, limit=9)
    assert (newest.actor_key_id, newest.actor_owner_id, newest.address) == (
        "key-1",
        ANN,
        "192.0.2.7",
    )
    assert (newest.action, newest.object, newest.details) == ("key.create", "k", {"name": "n"})
    assert len(older) == 2
    assert await audit.page(ANN, before=newest.id, limit=1) == older[:1]
    assert await audit.page(BOB, limit=9) == []
    assert len(await audit.page(None, limit=9)) == 3


async def test_what_is_not_done_is_not_logged(pool: Database) -> None:
    key = ApiKey(id="k", owner_id="nobody", name="n", created_at=BEGIN)
    with pytest.raises(IntegrityError):
        await ApiKeyTable(pool).add(StoredApiKey(key, b"d"), change())
    assert await AuditTable(pool).page(None, limit=9) == []
