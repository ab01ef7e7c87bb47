"""The query of a timeline: what groups of calls used over time, and how long they took."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    Text,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
)

from cartrita.adapters.persistence.ledger_costs import COST
from cartrita.adapters.persistence.tables.usage import usage_ledger
from cartrita.adapters.persistence.usage_groups import KEYS, meant, named, to_group
from cartrita.domain.ledger import (
    OTHERS,
    CallOutcome,
    TimelineStep,
    UsageInterval,
    UsageQuery,
)

_l = usage_ledger.c
_MEASURED = ("seconds", "first_token_seconds")
_NAMES = [name for name in UsageInterval.__struct_fields__ if name not in ("at", "group")]


def dearest_query(query: UsageQuery, limit: int) -> Select[Any]:
    """The keys of the groups that are told apart."""
    key = KEYS[query.grouping]
    cost = func.coalesce(func.sum(COST), 0)
    order = (cost.desc(), func.count().desc(), key)
    return select(key).where(meant(query)).group_by(key).order_by(*order).limit(limit)


def timeline_query(query: UsageQuery, step: TimelineStep, apart: Sequence[Any]) -> Select[Any]:
    """Rows as `to_interval` takes them."""
    unit = literal_column(f"'{step.value}'", Text)
    key = KEYS[query.grouping]
    is_apart = _one_of(key, apart)
    calls = (
        select(
            func.date_trunc(unit, _l.at, literal_column("'UTC'", Text)).label("at"),
            case((is_apart, key)).label("key"),
            (~is_apart).label("other"),
            *(_l.outcome, _l.input_tokens, _l.output_tokens, _l.audio_seconds, _l.characters),
            *(COST.label("cost"), _l.seconds, _l.first_token_seconds),
        )
        .where(meant(query))
        .subquery()
    )
    c = calls.c
    groups = (
        select(
            c.at,
            c.key,
            c.other,
            func.count().label("calls"),
            func.count().filter(c.outcome == CallOutcome.FAILED).label("failed_calls"),
            func.count().filter(c.cost.is_(None)).label("unpriced_calls"),
            func.sum(c.input_tokens).label("input_tokens"),
            func.sum(c.output_tokens).label("output_tokens"),
            func.sum(c.audio_seconds).label("audio_seconds"),
            func.sum(c.characters).label("characters"),
            func.coalesce(func.sum(c.cost), 0).label("cost"),
            *(
                _percentile(part, c[name], c.outcome).label(f"{name}_p{part * 100:g}")
                for name in _MEASURED
                for part in (0.5, 0.95)
            ),
        )
        .group_by(c.at, c.key, c.other)
        .subquery()
    )
    source, names = named(query, groups)
    g = groups.c
    return (
        select(g.at, g.other, *(g[name] for name in _NAMES), *names)
        .select_from(source)
        .order_by(g.at, g.other, g.key)
    )


def to_interval(row: Any) -> UsageInterval:  # noqa: ANN401 - a row of this query
    """One row of the query."""
    at, other, *rest = row
    values = dict(zip(_NAMES, rest, strict=False))
    for name in ("input_tokens", "output_tokens", "characters"):
        values[name] = int(values[name])
    group = OTHERS if other else to_group(*rest[len(_NAMES) :])
    return UsageInterval(at=at, group=group, **values)


def _one_of(key: ColumnElement[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    known = func.coalesce(key.in_([one for one in keys if one is not None]), false())
    return or_(known, key.is_(None)) if None in keys else known


def _percentile(
    part: float, column: ColumnElement[Any], outcome: ColumnElement[Any]
) -> ColumnElement[Any]:
    exact = func.percentile_cont(part, type_=Float).within_group(column)
    return exact.filter(outcome == CallOutcome.COMPLETED)
