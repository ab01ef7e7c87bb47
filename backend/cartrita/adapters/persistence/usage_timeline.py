"""The query of a timeline: what calls of each provider used over time, and how long they took."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, Text, func, literal_column, select

from cartrita.adapters.persistence.tables.usage import usage_ledger
from cartrita.domain.ledger import CallOutcome, TimelineStep, UsageInterval

_l = usage_ledger.c
_COMPLETED = _l.outcome == CallOutcome.COMPLETED
_NAMES = UsageInterval.__struct_fields__


def timeline_query(
    owner_id: str, since: datetime, until: datetime, step: TimelineStep
) -> Select[Any]:
    """Rows in the order of the fields of `UsageInterval`."""
    # As a literal, so that GROUP BY sees the same expression.
    unit = literal_column(f"'{step.value}'", Text)
    at = func.date_trunc(unit, _l.at, literal_column("'UTC'", Text))
    return (
        select(
            at,
            _l.provider,
            func.count(),
            func.count().filter(_l.outcome == CallOutcome.FAILED),
            func.sum(_l.input_tokens),
            func.sum(_l.output_tokens),
            func.sum(_l.audio_seconds),
            func.sum(_l.characters),
            func.coalesce(func.sum(_l.cost), 0),
            *(_percentile(part, column) for column in _MEASURED for part in (0.5, 0.95)),
        )
        .where(_l.owner_id == owner_id, _l.at >= since, _l.at < until)
        .group_by(at, _l.provider)
        .order_by(at, _l.provider)
    )


def to_interval(row: Any) -> UsageInterval:  # noqa: ANN401 - a row of this query
    """One row of the query."""
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("input_tokens", "output_tokens", "characters"):
        values[name] = int(values[name])
    return UsageInterval(**values)


_MEASURED: tuple[ColumnElement[Any], ...] = (_l.seconds, _l.first_token_seconds)


def _percentile(part: float, column: ColumnElement[Any]) -> ColumnElement[Any]:
    exact = func.percentile_cont(part, type_=Float).within_group(column)
    return exact.filter(_COMPLETED)
