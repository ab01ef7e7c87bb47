"""The query of a report of usage: the dearest groups of calls, and the sums of all of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select

from cartrita.adapters.persistence.ledger_costs import COST
from cartrita.adapters.persistence.tables.usage import usage_ledger
from cartrita.adapters.persistence.usage_groups import KEYS, meant, named, to_group
from cartrita.domain.ledger import UsageQuery, UsageTotal, UsageTotals
from cartrita.domain.usage import Usage

_l = usage_ledger.c
_COUNTS = tuple(
    name for name in Usage.__struct_fields__ if name not in ("estimated", "error_bound")
)


def totals_query(query: UsageQuery, limit: int) -> Select[Any]:
    """Rows as `to_totals` takes them."""
    key = KEYS[query.grouping]
    calls, cost = func.count(), func.coalesce(func.sum(COST), 0)
    unpriced = func.count().filter(COST.is_(None))
    groups = (
        select(
            key.label("key"),
            # Over all groups, also those beyond the limit.
            func.count().over().label("groups"),
            func.sum(calls).over().label("all_calls"),
            func.sum(unpriced).over().label("all_unpriced"),
            func.sum(cost).over().label("all_cost"),
            calls.label("calls"),
            cost.label("cost"),
            unpriced.label("unpriced"),
            func.bool_or(_l.estimated).label("estimated"),
            func.max(_l.error_bound).label("error_bound"),
            func.sum(_l.audio_seconds).label("audio_seconds"),
            func.sum(_l.characters).label("characters"),
            *(func.sum(_l[name]).label(name) for name in _COUNTS),
        )
        .where(meant(query))
        .group_by(key)
        .order_by(cost.desc(), calls.desc(), key)
        .limit(limit)
        .subquery()
    )
    source, names = named(query, groups)
    columns = [column for column in groups.c if column.name != "key"]
    order = (groups.c.cost.desc(), groups.c.calls.desc(), groups.c.key)
    return select(*columns, *names).select_from(source).order_by(*order)


def to_totals(rows: Sequence[Any]) -> UsageTotals:
    """All rows of the query."""
    if not rows:
        return UsageTotals()
    groups, calls, unpriced, cost, *_ = rows[0]
    return UsageTotals(
        items=tuple(map(_total, rows)),
        groups=groups,
        calls=int(calls),
        unpriced_calls=int(unpriced),
        cost=Decimal(cost),
    )


def _total(row: Any) -> UsageTotal:  # noqa: ANN401 - a row of this query
    _, _, _, _, calls, cost, unpriced, estimated, error_bound, seconds, characters, *rest = row
    counts, names = rest[: len(_COUNTS)], rest[len(_COUNTS) :]
    used = dict(zip(_COUNTS, map(int, counts), strict=True))
    return UsageTotal(
        group=to_group(*names),
        calls=calls,
        usage=Usage(**used, estimated=estimated, error_bound=error_bound),
        cost=cost,
        unpriced_calls=unpriced,
        audio_seconds=seconds,
        characters=int(characters),
    )
