"""Tenants and users in Postgres."""

import pytest
from tests.backend.adapters.persistence.accounts import a_user, change, stored_user
from tests.harness.rows import ANN, BEGIN, BOB

from cartrita.adapters.persistence.accounts import TenantTable, UserTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.accounts import AccountChanges, Tenant, UserRole
from cartrita.domain.errors import Conflict, NotFound


def a_tenant(identity: str) -> Tenant:
    return Tenant(id=identity, name=identity, created_at=BEGIN)


async def test_tenants(pool: Database) -> None:
    table = TenantTable(pool)
    assert await table.add(a_tenant("b"), change())
    assert not await table.add(a_tenant("b"), change())
    await table.add(a_tenant("a"), change())
    assert await table.get("a") == a_tenant("a")
    assert await table.get("none") is None
    assert [one.id for one in await table.page()] == ["a", "b", "local"]
    assert [one.id for one in await table.page(after="a", limit=1)] == ["b"]
    assert not await table.change("none", AccountChanges(name="x"), change())


async def test_users(pool: Database) -> None:
    for name, home in ((ANN, "a"), (BOB, "b"), ("cid", "a")):
        await stored_user(pool, a_user(name, home))
    table = UserTable(pool)
    assert await table.get(ANN) == a_user(ANN, "a")
    assert await table.get("none") is None
    assert not await table.add(a_user(ANN, "b"), change())
    assert not await table.add(a_user("local", "b"), change())
    assert [one.id for one in await table.page("a")] == [ANN, "cid"]
    assert [one.id for one in await table.page(None, after=ANN, limit=1)] == [BOB]
    with pytest.raises(NotFound):
        await table.add(a_user("new", "none"), change())


async def test_a_user_is_changed(pool: Database) -> None:
    await stored_user(pool, a_user(ANN))
    table = UserTable(pool)
    changes = AccountChanges(name="Ann", role=UserRole.ADMIN, disabled=True)
    assert await table.change(ANN, changes, change())
    first = await table.get(ANN)
    assert first is not None
    assert (first.name, first.role) == ("Ann", UserRole.ADMIN)
    assert first.disabled_at is not None
    await table.change(ANN, AccountChanges(disabled=True), change())
    assert await table.get(ANN) == first
    await table.change(ANN, AccountChanges(disabled=False), change())
    enabled = await table.get(ANN)
    assert enabled is not None
    assert enabled.disabled_at is None


async def test_who_runs_the_server_stays_its_admin(pool: Database) -> None:
    for changes in (AccountChanges(disabled=True), AccountChanges(role=UserRole.MEMBER)):
        with pytest.raises(Conflict):
            await UserTable(pool).change("local", changes, change())
    with pytest.raises(Conflict):
        await TenantTable(pool).change("local", AccountChanges(disabled=True), change())
    local = await UserTable(pool).get("local")
    assert local is not None
    assert (local.role, local.disabled_at) == (UserRole.ADMIN, None)
