"""Budgets: who may set and see those of which key, user or tenant."""

from collections.abc import AsyncGenerator, Awaitable
from decimal import Decimal
from typing import Any

import pytest
from tests.backend.application.access_fixture import Access
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.budgets import BudgetTable
from cartrita.adapters.persistence.database import Database
from cartrita.application.budgets import BudgetAmount, Budgets
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.budgets import BudgetPeriod, BudgetSubject, BudgetUnit, SubjectKind
from cartrita.domain.errors import Forbidden, InvalidInput, NotFound

DOLLAR = BudgetAmount(BudgetPeriod.DAY, BudgetUnit.MONEY, Decimal(1))


def user(name: str) -> BudgetSubject:
    return BudgetSubject(SubjectKind.USER, name)


def tenant(name: str) -> BudgetSubject:
    return BudgetSubject(SubjectKind.TENANT, name)


class World:
    """A user of each of two tenants, with a key."""

    def __init__(self, pool: Database) -> None:
        self.access = Access(pool)
        self.budgets = Budgets(
            BudgetTable(pool),
            self.access.tenants,
            self.access.users,
            self.access.issued,
            now=self.access.clock.now,
        )

    async def build(self) -> None:
        key, _ = await self.access.made("ann", tenant="a")
        other, _ = await self.access.made("cid", tenant="c")
        self.key = BudgetSubject(SubjectKind.KEY, key.id)
        self.other = BudgetSubject(SubjectKind.KEY, other.id)


@pytest.fixture
async def world(database: TemporaryDatabase) -> AsyncGenerator[World]:
    pool = Database(database.dsn, pool_size=4)
    made = World(pool)
    await made.build()
    yield made
    await pool.close()


async def outcome(trying: Awaitable[Any]) -> str:
    try:
        await trying
    except (Forbidden, NotFound) as error:
        return error.code
    return "ok"


async def test_who_may_see_and_set_them(world: World) -> None:
    access, budgets = world.access, world.budgets
    actors = (
        await access.acting("ann"),
        await access.acting("eve", tenant="a", admin=True),
        await access.acting("local"),
    )
    subjects = (user("ann"), user("cid"), world.key, world.other, tenant("a"), tenant("c"))
    seen = [[await outcome(budgets.get(a.principal, s)) for s in subjects] for a in actors]
    changed = [[await outcome(budgets.replace(a, s, [DOLLAR])) for s in subjects] for a in actors]
    missing = ["user_not_found", "ok", "key_not_found", "ok", "tenant_not_found"]
    assert seen[0] == changed[0] == ["admin_required"] * 6
    assert seen[1] == ["ok", *missing]
    assert changed[1] == ["ok", *missing[:3], "operator_required", "operator_required"]
    assert seen[2] == changed[2] == ["ok"] * 6
    nobody = [user("none"), tenant("none"), BudgetSubject(SubjectKind.KEY, "none")]
    for subject in nobody:
        assert (await outcome(budgets.get(actors[2].principal, subject))).endswith("_not_found")


async def test_they_are_replaced_and_logged(world: World) -> None:
    budgets = world.budgets
    tokens = BudgetAmount(BudgetPeriod.MONTH, BudgetUnit.TOKENS, Decimal(500))
    await budgets.replace(COMMAND_LINE, user("ann"), [DOLLAR])
    [state] = await budgets.replace(COMMAND_LINE, user("ann"), [tokens])
    assert (state.budget.amount, state.used, state.left) == (500, 0, 500)
    assert await budgets.replace(COMMAND_LINE, user("ann"), []) == []
    logged = (await world.access.audit.page(COMMAND_LINE.principal, None, 3)).items
    assert [(one.action, one.object, one.tenant_id) for one in logged] == [
        ("user.budget", "ann", "a")
    ] * 3
    assert [one.details for one in logged] == [{}, {"month_tokens": "500"}, {"day_money": "1"}]


@pytest.mark.parametrize(
    ("unit", "amount"),
    [
        *((BudgetUnit.MONEY, amount) for amount in ("-1", "NaN", "Infinity", "1e12", "1e-7")),
        *((BudgetUnit.TOKENS, amount) for amount in ("-1", "1.5", "1e16")),
    ],
)
async def test_what_is_no_amount_is_refused(world: World, unit: BudgetUnit, amount: str) -> None:
    wrong = BudgetAmount(BudgetPeriod.DAY, unit, Decimal(amount))
    with pytest.raises(InvalidInput, match=rf"day\.{unit}"):
        await world.budgets.replace(COMMAND_LINE, user("ann"), [wrong])


async def test_callers_see_those_that_they_count_against(world: World) -> None:
    access, budgets = world.access, world.budgets
    for subject in (user("ann"), user("cid"), world.key, world.other, tenant("a")):
        await budgets.replace(COMMAND_LINE, subject, [DOLLAR])
    member = (await access.acting("ann")).principal
    first = type(member)(member.owner_id, world.key.id, member.tenant_id)
    admin = (await access.acting("eve", tenant="a", admin=True)).principal
    stranger = (await access.acting("zoe", tenant="z")).principal
    shown = [
        {one.budget.subject for one in await budgets.of_caller(who)}
        for who in (member, first, admin, stranger)
    ]
    assert shown == [{user("ann")}, {user("ann"), world.key}, {tenant("a")}, set()]
