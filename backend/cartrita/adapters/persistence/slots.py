"""Slots of limits, counted in the database by its clock, for all processes."""

from sqlalchemy import Double, Function, cast, delete, func, literal
from sqlalchemy.dialects.postgresql import insert

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.usage import limit_leases
from cartrita.domain.limits import LimitKey

_l = limit_leases.c
_KEPT_DAYS = 1


class SlotTable:
    """One row for each credential and pace; implements `SlotCounter`.

    So what was used up of a limit that was changed does not hold up calls under the new one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(
        self, key: LimitKey, *, count: int, interval: float, ahead: float = 0.0
    ) -> float:
        """See `SlotCounter`."""
        earliest = func.now() + _seconds(ahead)
        adding = insert(limit_leases).values(
            provider=key.provider,
            credential=f"{key.credential}:{interval:g}",
            due=earliest + _seconds(count * interval),
        )
        statement = adding.on_conflict_do_update(
            index_elements=[_l.provider, _l.credential],
            set_={"due": func.greatest(_l.due, earliest) + _seconds(count * interval)},
        ).returning(cast(func.extract("epoch", _l.due - func.now()), Double))
        async with self._database.use() as connection:
            return float((await connection.execute(statement)).scalar_one())

    async def sweep(self) -> int:
        """Delete the rows of credentials that nobody has used for a day; their number."""
        old = _l.due < func.now() - func.make_interval(0, 0, 0, _KEPT_DAYS)
        async with self._database.use() as connection:
            return (await connection.execute(delete(limit_leases).where(old))).rowcount


def _seconds(seconds: float) -> Function[object]:
    return func.make_interval(0, 0, 0, 0, 0, 0, literal(seconds, Double))
