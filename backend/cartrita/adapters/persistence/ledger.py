"""The usage ledger: entries are written in batches, off the path of the calls that they are of."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql

from cartrita.adapters.persistence.budgets import settle
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.usage import usage_ledger
from cartrita.domain.budgets import Settlement
from cartrita.domain.errors import CartritaError
from cartrita.domain.ledger import LedgerEntry
from cartrita.domain.usage import Usage
from cartrita.kit.ids import uuid7
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

_l = usage_ledger.c
_BATCH = 1000
_SWEPT = 10_000
_TYPES = {each.name: each.type.compile(postgresql.dialect()) for each in usage_ledger.columns}
_ARRAYS = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES.values(), 1))
# For a batch of which some are there already: each entry is stored once, however often it is sent.
_INSERT = (
    f"INSERT INTO usage_ledger ({', '.join(_TYPES)})"
    f" SELECT * FROM unnest({_ARRAYS}) ON CONFLICT (id) DO NOTHING RETURNING id"
)
_ID, *_NAMES = _TYPES
_values_of = attrgetter(
    *(f"usage.{name}" if name in Usage.__struct_fields__ else name for name in _NAMES)
)
"""The values of an entry, in the order of the columns after the id."""
_Entry: TypeAlias = tuple[UUID, LedgerEntry, Sequence[Settlement]]


class LedgerTable:
    """Implements `UsageLedger`.

    Entries are written every `interval_s` seconds. While the database is away up to `capacity` of
    them wait; after that the oldest are lost, and the log says how many. They are kept for
    `retention_days`, or for ever.
    """

    def __init__(
        self,
        database: Database,
        *,
        interval_s: float = 1.0,
        capacity: int = 100_000,
        retention_days: int | None = None,
    ) -> None:
        self._database = database
        self._interval_s = interval_s
        self._pending: deque[_Entry] = deque()
        self._capacity = capacity
        self._retention_days = retention_days
        self._lost = 0
        self.lost = 0
        """How many entries were lost, or refused, since this process began."""
        self._failure_logger = RepeatedFailures("ledger_not_written")

    def record(self, entry: LedgerEntry, settlements: Sequence[Settlement] = ()) -> None:
        """See `UsageLedger`. Where an entry is lost, what it settles stays leased."""
        self._pending.append((uuid7(), entry, settlements))
        if len(self._pending) > self._capacity:
            self._pending.popleft()
            self._lost += 1
            self.lost += 1

    @property
    def pending(self) -> int:
        """How many entries wait."""
        return len(self._pending)

    async def run(self) -> None:
        """Write what was recorded until cancelled, and then once more."""
        try:
            while True:
                await asyncio.sleep(self._interval_s)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write all pending entries; those that cannot be written now stay pending.

        That goes for any failure: a ledger that lags behind is no reason to end answers.
        """
        while self._pending:
            batch = [self._pending.popleft() for _ in range(min(len(self._pending), _BATCH))]
            try:
                await self._write(batch)
            except CartritaError as error:
                self._pending.extendleft(reversed(batch))
                log.warning("ledger_not_written", code=error.code, pending=len(self._pending))
                return
            except Exception as error:
                self._pending.extendleft(reversed(batch))
                self._failure_logger.exception("flush", error=error, pending=len(self._pending))
                return
            except BaseException:
                self._pending.extendleft(reversed(batch))
                raise
            self._failure_logger.forget("flush")
        if self._lost:
            log.error("ledger_entries_lost", entries=self._lost)
            self._lost = 0

    async def sweep(self) -> int:
        """Delete entries that are older than `retention_days`, a few at a time; their number."""
        if self._retention_days is None:
            return 0
        oldest = func.now() - func.make_interval(0, 0, 0, self._retention_days)
        # Ids are made from the time, so that the primary key finds the old ones.
        old = select(_l.id).where(_l.id < func.cartrita_uuid7_floor(oldest)).limit(_SWEPT)
        async with self._database.use() as connection:
            return (await connection.execute(delete(usage_ledger).where(_l.id.in_(old)))).rowcount

    async def _write(self, batch: list[_Entry]) -> None:
        """Write a batch, without the entries that the database refuses. Raises CartritaError."""
        try:
            async with self._database.use() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                try:
                    await _store(driver, batch)
                except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                    raise _RefusedError from error
        except _RefusedError:
            if len(batch) == 1:
                self.lost += 1
                log.exception("ledger_entry_refused")
                return
            middle = len(batch) // 2
            await self._write(batch[:middle])
            await self._write(batch[middle:])


class _RefusedError(Exception):
    """The database does not take a row: a number is too large, or a text cannot be stored."""


async def _store(driver: Any, batch: list[_Entry]) -> None:  # noqa: ANN401 - untyped
    """Copy the rows, which costs half of inserting them: 7 us each, in both processes.

    What they settle of budgets is counted in the same transaction, and so once.
    """
    rows = [(id_, *_values_of(entry)) for id_, entry, _ in batch]
    try:
        async with driver.transaction():
            await driver.copy_records_to_table(usage_ledger.name, records=rows, columns=[*_TYPES])
            await settle(driver, _settlements(batch))
    except (asyncpg.UniqueViolationError, OverflowError):
        # Some came with an earlier attempt, or the driver cannot write one: the INSERT tells.
        async with driver.transaction():
            stored = {row["id"] for row in await driver.fetch(_INSERT, *zip(*rows, strict=True))}
            await settle(driver, _settlements([one for one in batch if one[0] in stored]))


def _settlements(batch: Iterable[_Entry]) -> Iterator[Settlement]:
    return (one for _, _, settlements in batch for one in settlements)
