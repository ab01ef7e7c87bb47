"""Users: who may make, see and disable which of them."""

from collections.abc import AsyncGenerator

import pytest
from tests.backend.application.access_fixture import Access, actors, outcome, two_tenants
from tests.harness.database import TemporaryDatabase

from cartrita.domain.accounts import AccountChanges, UserRole
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated

DISABLED, ENABLED = AccountChanges(disabled=True), AccountChanges(disabled=False)


@pytest.fixture
async def access(database: TemporaryDatabase) -> AsyncGenerator[Access]:
    async with two_tenants(database.dsn) as made:
        yield made


async def test_who_may_do_what(access: Access) -> None:
    users = access.users
    expected = {
        "ann": ("ok", "ok", "ok"),
        "cid": ("admin_required", "user_not_found", "ok"),
        "all": ("admin_required", "ok", "ok"),
        "those of c": ("admin_required", "tenant_not_found", "ok"),
        "new in a": ("admin_required", "ok", "ok"),
        "new in c": ("admin_required", "tenant_not_found", "ok"),
        "rename ann": ("admin_required", "ok", "ok"),
        "disable cid": ("admin_required", "user_not_found", "ok"),
    }
    found: dict[str, list[str]] = {name: [] for name in expected}
    for number, actor in enumerate(await actors(access)):
        by = actor.principal
        for name, trying in {
            "ann": users.get(by, "ann"),
            "cid": users.get(by, "cid"),
            "all": users.page(by, None, None, 9),
            "those of c": users.page(by, "c", None, 9),
            "new in a": users.create(actor, f"a{number}", "a"),
            "new in c": users.create(actor, f"c{number}", "c"),
            "rename ann": users.change(actor, "ann", AccountChanges(name="Ann")),
            "disable cid": users.change(actor, "cid", DISABLED),
        }.items():
            found[name].append(await outcome(trying))
    assert {name: tuple(codes) for name, codes in found.items()} == expected


async def test_an_admin_sees_those_of_the_own_tenant_only(access: Access) -> None:
    _, admin, operator = [actor.principal for actor in await actors(access)]
    seen = await access.users.page(admin, None, None, 9)
    assert [one.id for one in seen.items] == ["ann", "eve"]
    first = await access.users.page(operator, None, None, 2)
    assert ([one.id for one in first.items], first.next_cursor) == (["ann", "cid"], "cid")


async def test_one_that_is_disabled_has_no_key_that_works(access: Access) -> None:
    _, text = await access.made("ann")
    assert await access.keys.authenticate(text)
    await access.users.change(COMMAND_LINE, "ann", DISABLED)
    with pytest.raises(Unauthenticated):
        await access.keys.authenticate(text)
    await access.users.change(COMMAND_LINE, "ann", ENABLED)
    assert await access.keys.authenticate(text)


async def test_a_role_counts_at_once(access: Access) -> None:
    _, text = await access.made("ann")
    assert not (await access.keys.authenticate(text)).admin
    await access.users.change(COMMAND_LINE, "ann", AccountChanges(role=UserRole.ADMIN))
    principal = await access.keys.authenticate(text)
    assert principal.admin
    assert not principal.operator


async def test_ids_and_names_are_checked(access: Access) -> None:
    users = access.users
    for wrong in ("", "-a", "a b", "a/b", "a\x00", "x" * 101):
        with pytest.raises(InvalidInput):
            await users.create(COMMAND_LINE, wrong, "a")
    for wrong in (" ", "a\x9bb"):
        with pytest.raises(InvalidInput):
            await users.change(COMMAND_LINE, "ann", AccountChanges(name=wrong))
    with pytest.raises(Conflict):
        await users.create(COMMAND_LINE, "ann", "c")
    for nobody in ("none", "a\x00", "\ud800"):
        with pytest.raises(NotFound):
            await users.get(COMMAND_LINE.principal, nobody)


async def test_a_user_is_made_where_it_is_missing(access: Access) -> None:
    ensure = access.users.ensure
    assert (await ensure(COMMAND_LINE, "ann")).tenant_id == "a"
    assert (await ensure(COMMAND_LINE, "new")).tenant_id == "new"
    assert (await ensure(COMMAND_LINE, "dan", "a")).tenant_id == "a"
    unnamed = await ensure(COMMAND_LINE, None)
    assert unnamed.tenant_id == unnamed.id
    with pytest.raises(Conflict):
        await ensure(COMMAND_LINE, "ann", "c")
