"""Tenants: who may make, see and disable which of them."""

from collections.abc import AsyncGenerator

import pytest
from tests.backend.application.access_fixture import Access, actors, outcome, two_tenants
from tests.harness.database import TemporaryDatabase

from cartrita.domain.accounts import AccountChanges
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from cartrita.domain.scopes import Scopes

DISABLED, ENABLED = AccountChanges(disabled=True), AccountChanges(disabled=False)


@pytest.fixture
async def access(database: TemporaryDatabase) -> AsyncGenerator[Access]:
    async with two_tenants(database.dsn) as made:
        yield made


async def test_who_may_do_what(access: Access) -> None:
    tenants = access.tenants
    expected = {
        "a": ("admin_required", "ok", "ok"),
        "c": ("admin_required", "tenant_not_found", "ok"),
        "all": ("admin_required", "ok", "ok"),
        "new": ("admin_required", "operator_required", "ok"),
        "rename a": ("admin_required", "ok", "ok"),
        "rename c": ("admin_required", "tenant_not_found", "ok"),
        "enable a": ("admin_required", "operator_required", "ok"),
    }
    found: dict[str, list[str]] = {name: [] for name in expected}
    for number, actor in enumerate(await actors(access)):
        by = actor.principal
        for name, trying in {
            "a": tenants.get(by, "a"),
            "c": tenants.get(by, "c"),
            "all": tenants.page(by, None, 9),
            "new": tenants.create(actor, f"t{number}"),
            "rename a": tenants.change(actor, "a", AccountChanges(name="A")),
            "rename c": tenants.change(actor, "c", AccountChanges(name="C")),
            "enable a": tenants.change(actor, "a", ENABLED),
        }.items():
            found[name].append(await outcome(trying))
    assert {name: tuple(codes) for name, codes in found.items()} == expected
    weak = await access.acting("eve", scopes=Scopes(operations=("chat",)))
    assert await outcome(tenants.page(weak.principal, None, 9)) == "admin_required"


async def test_an_admin_sees_the_own_tenant_only(access: Access) -> None:
    _, admin, operator = [actor.principal for actor in await actors(access)]
    tenants = access.tenants
    assert [one.id for one in (await tenants.page(admin, None, 9)).items] == ["a"]
    first = await tenants.page(operator, None, 2)
    assert ([one.id for one in first.items], first.next_cursor) == (["a", "c"], "c")
    assert [one.id for one in (await tenants.page(operator, "c", 2)).items] == ["local"]


async def test_one_that_is_disabled_has_no_key_that_works(access: Access) -> None:
    _, text = await access.made("ann")
    assert await access.keys.authenticate(text)
    await access.tenants.change(COMMAND_LINE, "a", DISABLED)
    with pytest.raises(Unauthenticated):
        await access.keys.authenticate(text)
    await access.tenants.change(COMMAND_LINE, "a", ENABLED)
    assert await access.keys.authenticate(text)


async def test_ids_are_checked(access: Access) -> None:
    tenants = access.tenants
    for wrong in ("", "-a", "a b", "a/b", "a\x00", "x" * 101):
        with pytest.raises(InvalidInput):
            await tenants.create(COMMAND_LINE, wrong)
    with pytest.raises(Conflict):
        await tenants.create(COMMAND_LINE, "a")
    for nobody in ("none", "a\x00", "\ud800"):
        with pytest.raises(NotFound):
            await tenants.get(COMMAND_LINE.principal, nobody)
