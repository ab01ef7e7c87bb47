"""Budgets in Postgres: what is leased and settled stays within them, whoever asks and when."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from tests.backend.adapters.persistence.accounts import a_user, change, stored_user
from tests.backend.adapters.persistence.test_ledger import entry

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.budgets import BudgetTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.adapters.persistence.tables.access import api_keys, audit_log
from cartrita.adapters.persistence.tables.usage import budget_spending
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.budgets import (
    Budget,
    BudgetPeriod,
    BudgetSpending,
    BudgetState,
    BudgetSubject,
    BudgetUnit,
    Settlement,
    SubjectKind,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ANN = BudgetSubject(SubjectKind.USER, "ann")
DOLLAR = Budget(ANN, BudgetPeriod.DAY, BudgetUnit.MONEY, Decimal(1))
SPENDING = BudgetSpending(ANN, BudgetPeriod.DAY, BudgetUnit.MONEY, date(2026, 11, 28))
NONE = Decimal(0)
BLOCK = Decimal("0.25")


@pytest.fixture
async def table(pool: Database) -> BudgetTable:
    made = BudgetTable(pool)
    await made.replace(ANN, [DOLLAR], change())
    return made


async def state(table: BudgetTable) -> BudgetState:
    [found] = await table.states([ANN], NOON)
    return found


async def test_less_is_leased_as_less_is_left_but_never_less_than_is_needed(
    table: BudgetTable,
) -> None:
    assert await table.lease(SPENDING, NONE, BLOCK) == Decimal("0.0625")
    assert await table.lease(SPENDING, NONE, Decimal("0.01")) == Decimal("0.01")
    assert await table.lease(SPENDING, Decimal("0.9"), Decimal("0.95")) == Decimal("0.9")
    assert await table.lease(SPENDING, Decimal("0.03"), Decimal("0.03")) == 0
    assert await table.lease(SPENDING, Decimal("0.0275"), BLOCK) == Decimal("0.0275")
    assert await table.lease(SPENDING, NONE, BLOCK) == 0
    await table.give_back(SPENDING, Decimal("0.4"))
    assert await state(table) == BudgetState(DOLLAR, leased=Decimal("0.6"))


async def test_leases_of_many_at_once_do_not_pass_the_budget(table: BudgetTable) -> None:
    least = Decimal("0.03")
    leased = await asyncio.gather(*(table.lease(SPENDING, least, BLOCK) for _ in range(60)))
    assert 1 - least < sum(leased) <= 1
    assert all(one == 0 or one >= least for one in leased)


async def test_what_others_give_back_meanwhile_is_leased_once(table: BudgetTable) -> None:
    shares = [Decimal(n) / 100 for n in (3, 7, 11, 19, 23, 29, 31, 37)]

    async def lease_and_halve(share: Decimal) -> Decimal:
        kept = NONE
        for _ in range(12):
            leased = await table.lease(SPENDING, share, share)
            if leased:
                await table.give_back(SPENDING, leased / 2)
            kept += leased / 2
        return kept

    kept = await asyncio.gather(*map(lease_and_halve, shares))
    found = await state(table)
    assert 0 < found.leased == sum(kept) <= 1


async def test_tokens_are_leased_whole(table: BudgetTable) -> None:
    tokens = Budget(ANN, BudgetPeriod.MONTH, BudgetUnit.TOKENS, Decimal(1000))
    await table.replace(ANN, [tokens], change())
    spending = BudgetSpending(ANN, BudgetPeriod.MONTH, BudgetUnit.TOKENS, date(2026, 11, 1))
    assert await table.lease(spending, NONE, Decimal(500)) == 62
    assert await state(table) == BudgetState(tokens, leased=Decimal(62))


async def test_without_a_budget_nothing_is_leased(table: BudgetTable) -> None:
    await table.replace(ANN, [], change())
    assert await table.lease(SPENDING, NONE, BLOCK) == 0
    assert await table.states([ANN], NOON) == []


async def test_a_budget_that_was_lowered_leases_nothing_until_it_is_raised(
    table: BudgetTable,
) -> None:
    await table.lease(SPENDING, Decimal("0.5"), Decimal("0.5"))
    for amount, leased in ((Decimal("0.1"), NONE), (Decimal("0.6"), Decimal("0.1"))):
        await table.replace(ANN, [Budget(ANN, DOLLAR.period, DOLLAR.unit, amount)], change())
        assert await table.lease(SPENDING, Decimal("0.1"), Decimal("0.1")) == leased


async def test_the_database_refuses_what_would_pass_a_budget(
    table: BudgetTable, pool: Database
) -> None:
    await table.lease(SPENDING, NONE, BLOCK)
    async with pool.use() as connection:
        with pytest.raises(Exception, match="budget_spending_within_budget"):
            await connection.execute(update(budget_spending).values(leased=Decimal("1.01")))


async def test_entries_of_the_ledger_settle_what_they_used_once(
    table: BudgetTable, pool: Database
) -> None:
    ledger = LedgerTable(pool)
    await table.lease(SPENDING, Decimal("0.5"), Decimal("0.5"))
    ledger.record(entry(), [Settlement(SPENDING, Decimal("0.2"))])
    ledger.record(entry(), [Settlement(SPENDING, Decimal("0.1"), overrun=Decimal("0.05"))])
    sent = [*ledger._pending]
    await ledger.flush()
    ledger._pending.extend(sent)  # as after an answer that was lost
    ledger.record(entry(), [Settlement(SPENDING, Decimal("0.01"))])
    await ledger.flush()
    found = await state(table)
    assert (found.settled, found.overrun) == (Decimal("0.31"), Decimal("0.05"))
    assert (found.leased, found.left) == (Decimal("0.19"), Decimal("0.64"))
    assert await table.lease(SPENDING, Decimal("0.46"), BLOCK) == 0  # the overrun is used too


async def test_each_period_begins_anew_and_is_forgotten_in_the_end(
    table: BudgetTable, pool: Database
) -> None:
    await table.lease(SPENDING, Decimal(1), Decimal(1))
    tomorrow = BudgetSpending(ANN, SPENDING.period, SPENDING.unit, date(2026, 11, 29))
    assert await table.lease(tomorrow, Decimal(1), Decimal(1)) == 1
    assert await table.sweep() == 0
    since = budget_spending.c.since
    long_ago = since - timedelta(days=3000)
    async with pool.use() as connection:
        await connection.execute(
            update(budget_spending).where(since == tomorrow.since).values(since=long_ago)
        )
    assert await table.sweep() == 1


async def test_changes_are_logged(table: BudgetTable, pool: Database) -> None:
    await table.replace(ANN, [], change("budget.change"))
    async with pool.use() as connection:
        logged = (await connection.execute(select(audit_log.c.action))).scalars().all()
    assert [*logged] == ["test", "budget.change"]


async def test_a_key_counts_against_the_budgets_of_those_that_it_replaced(
    table: BudgetTable, pool: Database
) -> None:
    await stored_user(pool, a_user("ann"))
    for name in ("first", "second", "third"):
        key = ApiKey(id=name, owner_id="ann", name=name, created_at=NOON)
        await ApiKeyTable(pool).add(StoredApiKey(key, name.encode()), change())
    async with pool.use() as connection:
        for old, new in (("first", "second"), ("second", "third")):
            await connection.execute(
                update(api_keys)
                .where(api_keys.c.id == old)
                .values(replaced_by=new, retires_at=NOON)
            )
    first, third = (BudgetSubject(SubjectKind.KEY, name) for name in ("first", "third"))
    of_first = Budget(first, BudgetPeriod.DAY, BudgetUnit.TOKENS, Decimal(10))
    of_third = Budget(third, BudgetPeriod.DAY, BudgetUnit.TOKENS, Decimal(20))
    await table.replace(first, [of_first], change())
    await table.replace(third, [of_third], change())
    known = await table.all()
    assert known.of("first", "bob", "acme") == (of_first,)
    assert known.of("second", "bob", "acme") == (of_first,)
    assert known.of("third", "bob", "acme") == (of_first, of_third)
    assert known.of(None, "ann", "acme") == (DOLLAR,)


async def test_two_processes_settle_the_same_accounts_without_waiting_for_each_other(
    pool: Database,
) -> None:
    table, ledgers = BudgetTable(pool), [LedgerTable(pool) for _ in range(2)]
    subjects = [BudgetSubject(SubjectKind.USER, f"user {number}") for number in range(8)]
    spendings = [
        BudgetSpending(one, SPENDING.period, SPENDING.unit, SPENDING.since) for one in subjects
    ]
    for subject, spending in zip(subjects, spendings, strict=True):
        budget = Budget(subject, DOLLAR.period, DOLLAR.unit, Decimal(1))
        await table.replace(subject, [budget], change())
        await table.lease(spending, Decimal(1), Decimal(1))
    for ledger, order in zip(ledgers, (spendings, spendings[::-1]), strict=True):
        ledger.record(entry(), [Settlement(one, Decimal("0.5")) for one in order])
    await asyncio.gather(*(ledger.flush() for ledger in ledgers))
    states = await table.states(subjects, NOON)
    assert [one.settled for one in states] == [1] * 8
