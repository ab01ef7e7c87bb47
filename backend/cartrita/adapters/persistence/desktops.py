"""Rows of desktops: implements DesktopStore, DesktopControl and DesktopWatch."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Function,
    Interval,
    RowMapping,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    update,
)

from cartrita.adapters.persistence.conversations import owned
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.moment_cursors import place_of
from cartrita.adapters.persistence.owner_locks import lock_desktops
from cartrita.adapters.persistence.tables.conversations import conversations
from cartrita.adapters.persistence.tables.desktops import desktop_sessions
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.domain.desktop import (
    Control,
    DesktopId,
    DesktopIsolation,
    DesktopSession,
    DesktopStatus,
)
from cartrita.domain.errors import Conflict, NotFound, RateLimited
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ports.desktop_sessions import DesktopLimits, DueDesktop, WatchedDesktop
from cartrita.domain.runs import RunStatus
from cartrita.kit.pagination import Page, moment_cursor

_s, _c = desktop_sessions.c, conversations.c
_ALIVE = _s.status.in_((DesktopStatus.STARTING, DesktopStatus.READY))
_FIELDS = tuple(
    name for name in DesktopSession.__struct_fields__ if name not in ("control", "external_id")
)
_SESSIONS = select(
    *(_s[name] for name in _FIELDS),
    case((_s.held_until > func.now(), _s.holder)).label("holder"),
    _s.held_until,
    _c.external_id,
).join(conversations, _c.id == _s.conversation_id)
_UNFINISHED = runs.c.status.in_([status for status in RunStatus if not status.ended])
_BUSY = exists().where(runs.c.conversation_id == _s.conversation_id, _UNFINISHED)
"""A run that waits for a person wants its desktop as it is, too."""
_LATEST = (_s.created_at.desc(), _s.id.desc())
_LOST_S = 60.0
"""A machine that has not ended one so long after its time is gone itself."""
_ENDING_S = 30.0
"""Whoever stores that one has ended has ended it so long after that, unless they are gone."""
_OVER = "It ran as long as a desktop may."
_IDLE = "Nobody used it for too long."
_DELETED = "Its conversation was deleted."
_LOST = "The machine that ran it is gone."


class DesktopTable:
    """Desktops by their ids, and by their conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, session: DesktopSession, limits: DesktopLimits) -> None:
        """See DesktopStore."""
        async with self._database.transaction() as connection:
            await lock_desktops(connection)
            conversation = select(_c.id).where(
                owned(session.owner_id), _c.id == session.conversation_id
            )
            if await connection.scalar(conversation) is None:
                raise NotFound.of("conversation")
            rows = await connection.execute(
                select(_s.machine, _s.owner_id, _s.conversation_id).where(_ALIVE)
            )
            found = rows.all()
            _require_room(session, [(row.machine, row.owner_id) for row in found], limits)
            if any(row.conversation_id == session.conversation_id for row in found):
                raise Conflict("This conversation has a desktop already.", code="desktop_exists")
            values = {name: getattr(session, name) for name in _FIELDS}
            lifetime = literal(session.expires_at - session.created_at, Interval)
            values |= {"created_at": func.now(), "used_at": func.now()}
            values["expires_at"] = func.now() + lifetime
            await connection.execute(insert(desktop_sessions).values(values))

    async def get(self, owner_id: str, desktop_id: DesktopId) -> DesktopSession | None:
        return await self._one(and_(_s.owner_id == owner_id, _s.id == desktop_id))

    async def latest(self, conversation_id: ConversationId) -> DesktopSession | None:
        """See DesktopStore."""
        return await self._one(_s.conversation_id == conversation_id)

    async def list(self, owner_id: str, limit: int, cursor: str | None) -> Page[DesktopSession]:
        """See DesktopStore."""
        query = _SESSIONS.where(_s.owner_id == owner_id)
        if cursor is not None:
            query = query.where(tuple_(_s.created_at, _s.id) < tuple_(*place_of(cursor)))
        query = query.order_by(*_LATEST).limit(limit + 1)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        items = [_session(row) for row in rows[:limit]]
        return Page(
            items, moment_cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None
        )

    async def alive(self, desktop_ids: Sequence[DesktopId]) -> Collection[DesktopId]:
        """See DesktopStore."""
        if not desktop_ids:
            return ()
        ending = _s.ended_at > func.now() - _seconds(_ENDING_S)
        query = select(_s.id).where(_ALIVE | ending, _s.id.in_(desktop_ids))
        async with self._database.use() as connection:
            return {DesktopId(found) for found in await connection.scalars(query)}

    async def settle(
        self, desktop_id: DesktopId, status: DesktopStatus, reason: str | None = None
    ) -> bool:
        """See DesktopStore."""
        values: dict[str, object] = {"status": status, "reason": reason}
        if status is not DesktopStatus.READY:
            values |= {"ended_at": func.now(), "holder": null(), "held_until": null()}
        return await self._change(desktop_id, values)

    async def hold(self, desktop_id: DesktopId, number: int, holder: str, seconds: float) -> None:
        """See DesktopControl."""
        values = {"holder": holder, "held_until": func.now() + _seconds(seconds)}
        await self._control(desktop_id, number, values)

    async def let_go(self, desktop_id: DesktopId, number: int) -> None:
        """See DesktopControl."""
        await self._control(desktop_id, number, {"holder": null(), "held_until": null()})

    async def use(self, desktop_id: DesktopId) -> None:
        """See DesktopControl."""
        await self._change(desktop_id, {"used_at": func.now()})

    async def due(self, machine: str) -> Sequence[DueDesktop]:
        """See DesktopWatch."""
        reason = case(
            (_s.machine != machine, _LOST),
            (_c.deleted_at.is_not(None), _DELETED),
            (_s.expires_at <= func.now(), _OVER),
            else_=_IDLE,
        )
        since = case((_s.machine == machine, func.now()), else_=func.now() - _seconds(_LOST_S))
        over = or_(
            _s.expires_at <= since,
            and_(_s.used_at + _seconds(_s.idle_s) <= since, ~_BUSY),
            and_(_s.machine == machine, _c.deleted_at.is_not(None)),
        )
        query = _SESSIONS.add_columns(reason.label("why")).where(_ALIVE, over)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [DueDesktop(_session(row), row["why"]) for row in rows]

    async def running_on(self, machine: str) -> Sequence[WatchedDesktop]:
        """See DesktopWatch."""
        age = (func.now() - _s.created_at).label("age")
        query = _SESSIONS.add_columns(age).where(_ALIVE, _s.machine == machine)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [WatchedDesktop(_session(row), row["age"]) for row in rows]

    async def has_ended(self, run_id: RunId) -> bool:
        """See DesktopWatch."""
        query = select(~exists().where(runs.c.id == run_id, _UNFINISHED))
        async with self._database.use() as connection:
            return bool(await connection.scalar(query))

    async def _control(self, desktop_id: DesktopId, number: int, values: dict[str, Any]) -> None:
        """What was said later by the desktop stays, whichever is stored first."""
        values |= {"control_number": number, "used_at": func.now()}
        await self._change(desktop_id, values, _s.control_number < number)

    async def _one(self, which: ColumnElement[bool]) -> DesktopSession | None:
        query = _SESSIONS.where(which).order_by(*_LATEST).limit(1)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _session(row)

    async def _change(
        self, desktop_id: DesktopId, values: dict[str, Any], *which: ColumnElement[bool]
    ) -> bool:
        statement = update(desktop_sessions).where(_s.id == desktop_id, _ALIVE, *which)
        async with self._database.use() as connection:
            return (await connection.execute(statement.values(values))).rowcount == 1


def _require_room(
    session: DesktopSession, running: Sequence[tuple[str, str]], limits: DesktopLimits
) -> None:
    if sum(owner_id == session.owner_id for _, owner_id in running) >= limits.owner:
        raise RateLimited(
            f"You have {limits.owner} desktops, which is as many as you may have at once: end one "
            "first.",
            code="desktop_limit",
        )
    if sum(machine == session.machine for machine, _ in running) >= limits.machine:
        raise RateLimited(
            f"The server runs {limits.machine} desktops, which is as many as it may: try again "
            "later.",
            code="desktop_limit",
            retry_after=60,
        )


def _session(row: RowMapping) -> DesktopSession:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    control = None
    if row["holder"] is not None:
        control = Control(holder=row["holder"], expires_at=row["held_until"])
    values["status"] = DesktopStatus(values["status"])
    values["isolation"] = DesktopIsolation(values["isolation"])
    return DesktopSession(**values, control=control, external_id=row["external_id"])


def _seconds(seconds: float | ColumnElement[float]) -> Function[object]:
    told = seconds if isinstance(seconds, ColumnElement) else literal(seconds, Double)
    return func.make_interval(0, 0, 0, 0, 0, 0, told)
