"""The keys of tenants in Postgres, encrypted by one wrapping key after another."""

from msgspec.structs import replace
from tests.backend.adapters.persistence.accounts import a_user, stored_user

from cartrita.adapters.persistence.data_keys import DataKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.credentials import WrappedKey

KEY = WrappedKey("k", "t", "w1", b"wrapped")


async def test_keys_of_tenants_are_wrapped_again(pool: Database) -> None:
    await stored_user(pool, a_user("ann", "t"))
    table = DataKeyTable(pool)
    await table.add(KEY)
    assert await table.get("k") == KEY
    assert await table.get("t") is None
    assert (await table.of_tenant("t"), await table.of_tenant("other")) == ([KEY], [])
    assert await table.wrapped(not_by="w1") == []
    assert await table.wrapped(not_by="w2") == [KEY]
    new = replace(KEY, wrapping_key="w2", ciphertext=b"wrapped again")
    assert await table.rewrap(KEY, new)
    assert not await table.rewrap(KEY, new)
    assert await table.get("k") == new
    another = replace(KEY, id="l")
    await table.add(another)
    assert await table.of_tenant("t") == [new, another]
