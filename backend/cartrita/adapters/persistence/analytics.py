"""Analytics from the ledger and the table of runs: implements `AnalyticsReader`."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Executable,
    Float,
    Integer,
    Text,
    Uuid,
    and_,
    cast,
    func,
    literal_column,
    null,
    select,
    text,
    tuple_,
    type_coerce,
    union_all,
)

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.ledger_costs import COST
from cartrita.adapters.persistence.tables.access import users
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.adapters.persistence.tables.usage import usage_ledger
from cartrita.domain.analytics import (
    Activity,
    Analytics,
    AnalyticsQuery,
    ProviderQuality,
    Spender,
    StatusCount,
    SurfaceQuality,
)
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.runs import RunStatus

_l, _r, _u = usage_ledger.c, runs.c, users.c
_SLACK: Final = timedelta(minutes=5)
"""An id is made from the time within moments of that which its row tells."""
_ONE_MOMENT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
"""So that all sums are of the same rows, while more are written."""
_COST = func.coalesce(func.sum(COST), 0)
_UNPRICED = func.count().filter(COST.is_(None))


class AnalyticsTable:
    """Ids are made from the time, so that the primary keys find the rows of a time.

    Those of one tenant are found by its users.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def analytics(self, query: AnalyticsQuery) -> Analytics:
        """See `AnalyticsReader`."""
        async with self._database.transaction() as connection:
            await connection.execute(_ONE_MOMENT)

            async def rows(statement: Executable) -> list[dict[str, Any]]:
                found = await connection.execute(statement)
                return [dict(row) for row in found.mappings()]

            whole, *intervals = await rows(_activity(query))
            statuses = await rows(_statuses(query))
            return Analytics(
                active_users=whole["active_users"],
                active_conversations=whole["active_conversations"],
                activity=tuple(Activity(**row) for row in intervals),
                runs=tuple(
                    StatusCount(status=RunStatus(row["status"]), runs=row["runs"])
                    for row in statuses
                ),
                surfaces=tuple(SurfaceQuality(**row) for row in await rows(_surfaces(query))),
                providers=tuple(ProviderQuality(**row) for row in await rows(_providers(query))),
                spenders=tuple(Spender(**row) for row in await rows(_spenders(query))),
            )


def _calls(query: AnalyticsQuery) -> ColumnElement[bool]:
    return _within(query, _l.id, _l.at, _l.owner_id)


def _within(
    query: AnalyticsQuery, id_: Column[Any], at: Column[Any], owner_id: Column[Any]
) -> ColumnElement[bool]:
    """The rows of the time, and of the tenant's users."""
    floor = func.cartrita_uuid7_floor
    meant = [
        id_ >= type_coerce(floor(query.since - _SLACK), Uuid),
        id_ < type_coerce(floor(query.until + _SLACK), Uuid),
        at >= query.since,
        at < query.until,
    ]
    if query.tenant_id is not None:
        meant.append(owner_id.in_(select(_u.id).where(_u.tenant_id == query.tenant_id)))
    return and_(*meant)


def _done(query: AnalyticsQuery) -> Any:  # noqa: ANN401 - a subquery's columns
    """What was done: a row for each run, and one for all calls of an owner in an interval."""
    unit = literal_column(f"'{query.step.value}'", Text)
    utc = literal_column("'UTC'", Text)
    none = cast(null(), Uuid)
    called = (
        select(
            func.date_trunc(unit, _l.at, utc).label("at"),
            _l.owner_id.label("owner_id"),
            none.label("conversation_id"),
            literal_column("0", Integer).label("run"),
        )
        .where(_calls(query))
        .distinct()
    )
    ran = select(
        func.date_trunc(unit, _r.created_at, utc),
        _r.owner_id,
        _r.conversation_id,
        literal_column("1", Integer),
    ).where(_within(query, _r.id, _r.created_at, _r.owner_id))
    return union_all(called, ran).subquery().c


def _activity(query: AnalyticsQuery) -> Executable:
    """First of the whole time, which has no beginning, and then of each interval."""
    done = _done(query)
    return (
        select(
            done.at,
            func.count(done.owner_id.distinct()).label("active_users"),
            func.count(done.conversation_id.distinct()).label("active_conversations"),
            func.coalesce(func.sum(done.run), 0).label("runs"),
        )
        .group_by(func.grouping_sets(tuple_(), tuple_(done.at)))
        .order_by(done.at.nulls_first())
    )


def _statuses(query: AnalyticsQuery) -> Executable:
    meant = _within(query, _r.id, _r.created_at, _r.owner_id)
    count = func.count().label("runs")
    return select(_r.status, count).where(meant).group_by(_r.status).order_by(count.desc())


def _surfaces(query: AnalyticsQuery) -> Executable:
    return (
        select(_l.surface, *_outcomes())
        .where(_calls(query))
        .group_by(_l.surface)
        .order_by(func.count().desc(), _l.surface)
    )


def _providers(query: AnalyticsQuery) -> Executable:
    completed = _l.outcome == CallOutcome.COMPLETED
    percentiles = [
        func.percentile_cont(part, type_=Float)
        .within_group(column)
        .filter(completed)
        .label(f"{column.name}_p{part * 100:g}")
        for column in (_l.seconds, _l.first_token_seconds)
        for part in (0.5, 0.95)
    ]
    money = (_UNPRICED.label("unpriced_calls"), _COST.label("cost"))
    return (
        select(_l.provider, *_outcomes(), *money, *percentiles)
        .where(_calls(query))
        .group_by(_l.provider)
        .order_by(func.count().desc(), _l.provider)
    )


def _outcomes() -> list[ColumnElement[int]]:
    ended = {
        "failed_calls": CallOutcome.FAILED,
        "cut_calls": CallOutcome.CUT,
        "cancelled_calls": CallOutcome.CANCELLED,
    }
    counted = (
        func.count().filter(_l.outcome == outcome).label(name) for name, outcome in ended.items()
    )
    return [func.count().label("calls"), *counted]


def _spenders(query: AnalyticsQuery) -> Executable:
    return (
        select(
            _l.owner_id,
            func.count().label("calls"),
            _UNPRICED.label("unpriced_calls"),
            cast(func.sum(_l.input_tokens), BigInteger).label("input_tokens"),
            cast(func.sum(_l.output_tokens), BigInteger).label("output_tokens"),
            _COST.label("cost"),
        )
        .where(_calls(query))
        .group_by(_l.owner_id)
        .order_by(_COST.desc(), func.count().desc(), _l.owner_id)
        .limit(query.spenders)
    )
