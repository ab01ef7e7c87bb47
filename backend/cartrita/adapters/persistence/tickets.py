"""Single-use tickets and the runs they started: implements TicketStore."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import RowMapping, delete, func, insert, select, update

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.access import tickets
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.domain.ids import RunId
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import NOTHING
from cartrita.domain.tickets import Ticket

_t = tickets.c
_COLUMNS = (
    _t.kind,
    _t.owner_id,
    _t.key_id,
    _t.expires_at,
    _t.origin,
    _t.client_msg_id,
    _t.used_at,
)


class TicketTable:
    """Tickets by the digest of their secret."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, digest: bytes, ticket: Ticket) -> None:
        values = msgspec.structs.asdict(ticket)
        principal: Principal = values.pop("principal")
        whose = {"owner_id": principal.owner_id, "key_id": principal.key_id}
        async with self._database.use() as connection:
            await connection.execute(insert(tickets).values(**values, **whose, digest=digest))

    async def use(self, digest: bytes, kind: str) -> Ticket | None:
        """Redeem it; one UPDATE, so that only one of many concurrent callers succeeds."""
        statement = (
            update(tickets)
            .where(_t.digest == digest, _t.kind == kind)
            .where(_t.used_at.is_(None), _t.expires_at > func.now())
            .values(used_at=func.now())
            .returning(*_COLUMNS)
        )
        async with self._database.use() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _to_ticket(row)

    async def used(self, digest: bytes, kind: str) -> Ticket | None:
        """See TicketStore; there until `sweep` takes it."""
        query = select(*_COLUMNS).where(
            _t.digest == digest, _t.kind == kind, _t.used_at.is_not(None)
        )
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _to_ticket(row)

    async def started(self, ticket: Ticket) -> tuple[RunId, datetime | None] | None:
        """The run that a ticket started and when it ended; None where there is none (yet)."""
        if ticket.client_msg_id is None:
            return None
        query = select(runs.c.id, runs.c.ended_at).where(
            runs.c.owner_id == ticket.principal.owner_id,
            runs.c.client_msg_id == ticket.client_msg_id,
        )
        async with self._database.use() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (RunId(row.id), row.ended_at)

    async def sweep(self, keep: timedelta = timedelta(days=1)) -> int:
        """Delete what expired longer than `keep` ago, which is longer than any run; how many."""
        statement = delete(tickets).where(_t.expires_at < func.now() - keep)
        async with self._database.use() as connection:
            return (await connection.execute(statement)).rowcount


def _to_ticket(row: RowMapping) -> Ticket:
    values = dict(row)
    principal = Principal(values.pop("owner_id"), values.pop("key_id"), scopes=NOTHING)
    return Ticket(principal=principal, **values)
