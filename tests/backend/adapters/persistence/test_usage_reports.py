"""Reports of usage from the ledger: groups with their names, filters, sums beyond the limit."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.backend.adapters.persistence.accounts import a_user, change, stored_user
from tests.backend.adapters.persistence.test_ledger import DAY, NOON, entry
from tests.harness.rows import ANN, BEGIN, BOB, a_conversation, stored_conversation

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.adapters.persistence.usage_reports import UsageReportTable
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.ids import public_conversation_id
from cartrita.domain.ledger import NONE, CallOutcome, TimelineStep, UsageFilter, UsageQuery
from cartrita.domain.ledger import UsageGroup as Group
from cartrita.domain.ledger import UsageGrouping as By
from cartrita.domain.usage import Usage


def asked(by: By = By.MODEL, owner_id: str = ANN, **which: Any) -> UsageQuery:
    return between(NOON - 9 * DAY, NOON + 9 * DAY, by, owner_id, **which)


def between(
    since: datetime, until: datetime, by: By = By.MODEL, owner_id: str = ANN, **which: Any
) -> UsageQuery:
    return UsageQuery(
        owner_id=owner_id, since=since, until=until, grouping=by, which=UsageFilter(**which)
    )


class Reports:
    """What was recorded, and the reports of it."""

    def __init__(self, pool: Database) -> None:
        self.pool = pool
        self._ledger = LedgerTable(pool)
        self._table = UsageReportTable(pool)

    async def record(self, *entries: dict[str, Any]) -> None:
        for values in entries:
            self._ledger.record(entry(**values))
        await self._ledger.flush()

    async def totals(self, query: UsageQuery, limit: int = 100) -> Any:
        return await self._table.totals(query, limit=limit)

    async def groups(self, query: UsageQuery) -> dict[Group, int]:
        """How many calls each group has."""
        return {one.group: one.calls for one in (await self.totals(query)).items}

    async def timeline(self, query: UsageQuery, limit: int = 100) -> Any:
        return await self._table.timeline(query, TimelineStep.DAY, limit=limit)


@pytest.fixture
def reports(pool: Database) -> Reports:
    return Reports(pool)


async def test_calls_add_up_by_model(reports: Reports) -> None:
    unknown = Usage(7, 1, estimated=True, error_bound=0.35)
    await reports.record(
        {},
        {"outcome": CallOutcome.CUT},
        {"provider": "ollama", "model": "llama", "usage": unknown, "cost": None},
        {"owner_id": BOB, "model": "other"},
    )
    totals = await reports.totals(asked())
    dearest, free = totals.items
    assert dearest.group == Group(name="openai/gpt-4o", id="openai/gpt-4o")
    assert (dearest.calls, dearest.unpriced_calls) == (2, 0)
    assert dearest.cost == Decimal("0.00015")
    assert dearest.usage == Usage(20, 10, 2, 4, 6, 2)
    assert (free.group.name, free.calls, free.unpriced_calls) == ("ollama/llama", 1, 1)
    assert (free.cost, free.usage) == (0, unknown)
    assert (totals.groups, totals.calls, totals.unpriced_calls) == (2, 3, 1)
    assert totals.cost == Decimal("0.00015")
    assert list(await reports.groups(asked(owner_id=BOB))) == [
        Group(name="openai/other", id="openai/other")
    ]


async def test_what_is_sold_beside_text_adds_up_too(reports: Reports) -> None:
    spoken = Usage(9, 9, audio_input_tokens=4, audio_output_tokens=5, image_input_tokens=1)
    drawn = Usage(1, 1, image_output_tokens=1, web_searches=2, file_searches=3, images=1)
    ran = Usage(code_sessions=1)
    await reports.record({"usage": spoken}, {"usage": drawn}, {"usage": ran, "audio_seconds": 1.5})
    await reports.record({"usage": Usage(), "audio_seconds": 2.0, "characters": 30})
    [total] = (await reports.totals(asked())).items
    assert total.usage == spoken + drawn + ran
    assert (total.audio_seconds, total.characters) == (3.5, 30)
    [day] = await reports.timeline(asked())
    assert (day.audio_seconds, day.characters) == (3.5, 30)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (By.PROVIDER, {"openai": 3}),
        (By.SURFACE, {"openai_chat": 2, "native": 1}),
        (By.DAY, {"2026-11-28": 2, "2026-11-27": 1}),
        (By.AGENT, {"supervisor": 1, "none": 2}),
        (By.KEY, {"k": 2, "gone": 1}),
        (By.CONVERSATION, {"none": 3}),
    ],
)
async def test_groups(reports: Reports, by: By, names: dict[str, int]) -> None:
    await reports.record(
        {"at": NOON - DAY}, {"surface": "native", "agent": "supervisor"}, {"key_id": "gone"}
    )
    assert {group.name: calls for group, calls in (await reports.groups(asked(by))).items()} == (
        names
    )


async def test_a_report_of_nothing(reports: Reports) -> None:
    totals = await reports.totals(asked())
    assert (totals.items, totals.groups, totals.calls, totals.cost) == ((), 0, 0, 0)
    assert await reports.timeline(asked()) == []


async def test_keys_have_their_names_and_never_more(reports: Reports) -> None:
    await stored_user(reports.pool, a_user(ANN))
    key = ApiKey(id="4c5d", owner_id=ANN, name="laptop", created_at=BEGIN)
    await ApiKeyTable(reports.pool).add(StoredApiKey(key, b"digest"), change())
    await reports.record({"key_id": "4c5d"}, {"key_id": "4c5d"}, {"key_id": None})
    assert await reports.groups(asked(By.KEY)) == {Group(name="laptop", id="4c5d"): 2, NONE: 1}
    # A key of another owner has no name here, even where a row should name it.
    await reports.record({"key_id": "4c5d", "owner_id": BOB})
    assert list(await reports.groups(asked(By.KEY, BOB))) == [Group(name="4c5d", id="4c5d")]


async def test_conversations_are_told_by_their_public_ids(reports: Reports) -> None:
    plain = await stored_conversation(reports.pool, title="About kettles")
    named = await stored_conversation(reports.pool, title="", external_id="tea")
    gone = a_conversation()
    await reports.record(*({"conversation_id": one.id} for one in (plain, named, gone)))
    ids = [public_conversation_id(one.id, None) for one in (plain, gone)]
    assert await reports.groups(asked(By.CONVERSATION)) == {
        Group(name="About kettles", id=ids[0]): 1,
        Group(name="tea", id="tea"): 1,
        Group(name=ids[1], id=ids[1]): 1,
    }
    for public_id in (*ids, "tea"):
        assert sum((await reports.groups(asked(conversation_id=public_id))).values()) == 1
    assert await reports.groups(asked(conversation_id="conv_of_nobody")) == {}
    await reports.record({"conversation_id": plain.id, "owner_id": BOB})
    told = await reports.groups(asked(By.CONVERSATION, BOB))
    assert list(told) == [Group(name=ids[0], id=ids[0])], "a title is its owner's"


@pytest.mark.parametrize(
    "which",
    [
        {"provider": "ollama"},
        {"model": "llama"},
        {"model": "ollama/llama"},
        {"surface": "native"},
        {"agent": "writer"},
        {"key_id": "other"},
    ],
)
async def test_filters(reports: Reports, which: dict[str, Any]) -> None:
    await reports.record(
        {},
        {
            "provider": "ollama",
            "model": "llama",
            "surface": "native",
            "agent": "writer",
            "key_id": "other",
        },
    )
    assert list(await reports.groups(asked(**which))) == [
        Group(name="ollama/llama", id="ollama/llama")
    ]
    [day] = await reports.timeline(asked(**which))
    assert day.calls == 1


async def test_the_end_of_the_period_is_not_part_of_it(reports: Reports) -> None:
    await reports.record({})
    assert await reports.groups(between(NOON - DAY, NOON, By.DAY)) == {}
    assert len(await reports.groups(between(NOON, NOON + DAY, By.DAY))) == 1


async def test_the_sums_are_of_all_groups_and_the_dearest_are_told(reports: Reports) -> None:
    await reports.record(
        *({"model": f"m{n}", "cost": Decimal(n)} for n in range(1, 6)), {"model": "x", "cost": None}
    )
    totals = await reports.totals(asked(), limit=2)
    assert [one.group.name for one in totals.items] == ["openai/m5", "openai/m4"]
    assert (totals.groups, totals.calls, totals.unpriced_calls) == (6, 6, 1)
    assert totals.cost == 15


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity", "-1", "1e400"])
async def test_a_cost_that_is_no_amount_is_unknown(reports: Reports, wrong: str) -> None:
    """As the tables of prices of earlier versions could make them."""
    await reports.record({}, {"cost": Decimal(wrong)}, {"model": "m", "cost": Decimal(wrong)})
    totals = await reports.totals(asked())
    assert (totals.cost, totals.unpriced_calls) == (Decimal("0.000075"), 2)
    assert [(one.cost, one.unpriced_calls) for one in totals.items] == [
        (Decimal("0.000075"), 1),
        (Decimal(0), 1),
    ]
    timeline = await reports.timeline(asked(By.PROVIDER))
    assert [(one.cost, one.unpriced_calls) for one in timeline] == [(Decimal("0.000075"), 2)]
