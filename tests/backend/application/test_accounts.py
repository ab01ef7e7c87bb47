"""Tenants and users: who may make, see and disable which of them."""

from collections.abc import AsyncGenerator, Awaitable
from typing import Any

import pytest
from tests.backend.application.access_fixture import Access
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.database import Database
from cartrita.domain.accounts import AccountChanges, UserRole
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from cartrita.domain.scopes import Scopes

DISABLED, ENABLED = AccountChanges(disabled=True), AccountChanges(disabled=False)


@pytest.fixture
async def access(database: TemporaryDatabase) -> AsyncGenerator[Access]:
    pool = Database(database.dsn, pool_size=4)
    made = Access(pool)
    await made.made("ann", tenant="a")
    await made.made("cid", tenant="c")
    yield made
    await pool.close()


async def outcome(trying: Awaitable[Any]) -> str:
    try:
        await trying
    except (Forbidden, NotFound) as error:
        return error.code
    return "ok"


async def test_who_may_do_what(access: Access) -> None:
    accounts = access.accounts
    member = await access.acting("ann")
    admin = await access.acting("eve", tenant="a", admin=True)
    weak = await access.acting("eve", scopes=Scopes(operations=("chat",)))
    operator = await access.acting("local")
    expected = {
        "tenant a": ("admin_required", "ok", "ok"),
        "tenant c": ("admin_required", "tenant_not_found", "ok"),
        "tenants": ("admin_required", "ok", "ok"),
        "new tenant": ("admin_required", "operator_required", "ok"),
        "rename a": ("admin_required", "ok", "ok"),
        "rename c": ("admin_required", "tenant_not_found", "ok"),
        "disable a": ("admin_required", "operator_required", "ok"),
        "user ann": ("ok", "ok", "ok"),
        "user cid": ("admin_required", "user_not_found", "ok"),
        "users": ("admin_required", "ok", "ok"),
        "users of c": ("admin_required", "tenant_not_found", "ok"),
        "new user in a": ("admin_required", "ok", "ok"),
        "new user in c": ("admin_required", "tenant_not_found", "ok"),
        "rename ann": ("admin_required", "ok", "ok"),
        "disable cid": ("admin_required", "user_not_found", "ok"),
        "audit": ("admin_required", "ok", "ok"),
    }
    found: dict[str, list[str]] = {name: [] for name in expected}
    for number, actor in enumerate((member, admin, operator)):
        by = actor.principal
        for name, trying in {
            "tenant a": accounts.tenant(by, "a"),
            "tenant c": accounts.tenant(by, "c"),
            "tenants": accounts.tenants(by, None, 9),
            "new tenant": accounts.create_tenant(actor, f"t{number}"),
            "rename a": accounts.change_tenant(actor, "a", AccountChanges(name="A")),
            "rename c": accounts.change_tenant(actor, "c", AccountChanges(name="C")),
            "disable a": accounts.change_tenant(actor, "a", ENABLED),
            "user ann": accounts.user(by, "ann"),
            "user cid": accounts.user(by, "cid"),
            "users": accounts.users(by, None, None, 9),
            "users of c": accounts.users(by, "c", None, 9),
            "new user in a": accounts.create_user(actor, f"a{number}", "a"),
            "new user in c": accounts.create_user(actor, f"c{number}", "c"),
            "rename ann": accounts.change_user(actor, "ann", AccountChanges(name="Ann")),
            "disable cid": accounts.change_user(actor, "cid", DISABLED),
            "audit": accounts.audit(by, None, 9),
        }.items():
            found[name].append(await outcome(trying))
    assert {name: tuple(codes) for name, codes in found.items()} == expected
    assert await outcome(accounts.tenants(weak.principal, None, 9)) == "admin_required"


async def test_an_admin_sees_the_own_tenant_only(access: Access) -> None:
    admin = (await access.acting("eve", tenant="a", admin=True)).principal
    operator = (await access.acting("local")).principal
    accounts = access.accounts
    assert [one.id for one in (await accounts.tenants(admin, None, 9)).items] == ["a"]
    assert [one.id for one in (await accounts.users(admin, None, None, 9)).items] == ["ann", "eve"]
    assert {entry.tenant_id for entry in (await accounts.audit(admin, None, 99)).items} == {"a"}
    first = await accounts.tenants(operator, None, 2)
    assert ([one.id for one in first.items], first.next_cursor) == (["a", "c"], "c")
    assert [one.id for one in (await accounts.tenants(operator, "c", 2)).items] == ["local"]
    users = await accounts.users(operator, None, None, 2)
    assert ([one.id for one in users.items], users.next_cursor) == (["ann", "cid"], "cid")
    page = await accounts.audit(operator, None, 1)
    assert page.next_cursor == str(page.items[0].id)


async def test_what_is_disabled_has_no_key_that_works(access: Access) -> None:
    _, text = await access.made("ann")
    assert await access.keys.authenticate(text)
    for change, identity in (
        (access.accounts.change_user, "ann"),
        (access.accounts.change_tenant, "a"),
    ):
        await change(COMMAND_LINE, identity, DISABLED)
        with pytest.raises(Unauthenticated):
            await access.keys.authenticate(text)
        await change(COMMAND_LINE, identity, ENABLED)
        assert await access.keys.authenticate(text)


async def test_a_role_counts_at_once(access: Access) -> None:
    _, text = await access.made("ann")
    assert not (await access.keys.authenticate(text)).admin
    await access.accounts.change_user(COMMAND_LINE, "ann", AccountChanges(role=UserRole.ADMIN))
    principal = await access.keys.authenticate(text)
    assert principal.admin
    assert not principal.operator


async def test_ids_and_names_are_checked(access: Access) -> None:
    accounts = access.accounts
    for wrong in ("", "-a", "a b", "a/b", "a\x00", "x" * 101):
        with pytest.raises(InvalidInput):
            await accounts.create_tenant(COMMAND_LINE, wrong)
        with pytest.raises(InvalidInput):
            await accounts.create_user(COMMAND_LINE, wrong, "a")
    with pytest.raises(InvalidInput):
        await accounts.change_user(COMMAND_LINE, "ann", AccountChanges(name=" "))
    with pytest.raises(InvalidInput):
        await accounts.change_user(COMMAND_LINE, "ann", AccountChanges(name="a\x9bb"))
    with pytest.raises(Conflict):
        await accounts.create_tenant(COMMAND_LINE, "a")
    with pytest.raises(Conflict):
        await accounts.create_user(COMMAND_LINE, "ann", "c")
    for nobody in ("none", "a\x00", "\ud800"):
        with pytest.raises(NotFound):
            await accounts.user(COMMAND_LINE.principal, nobody)
        with pytest.raises(NotFound):
            await accounts.tenant(COMMAND_LINE.principal, nobody)


async def test_a_user_is_made_where_it_is_missing(access: Access) -> None:
    ensure = access.accounts.ensure_user
    assert (await ensure(COMMAND_LINE, "ann")).tenant_id == "a"
    assert (await ensure(COMMAND_LINE, "new")).tenant_id == "new"
    assert (await ensure(COMMAND_LINE, "dan", "a")).tenant_id == "a"
    unnamed = await ensure(COMMAND_LINE, None)
    assert unnamed.tenant_id == unnamed.id
    with pytest.raises(Conflict):
        await ensure(COMMAND_LINE, "ann", "c")
