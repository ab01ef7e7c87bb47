"""Frames of films: implements FilmStore."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping, ScalarSelect, Select, exists, func, insert, or_, select, update

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.desktops import desktop_frames, desktop_sessions
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.domain.desktop import DesktopId
from cartrita.domain.desktop_errors import DesktopGone
from cartrita.domain.desktop_films import UNSETTLED, FilmFrame, FrameActor, Marker, NewFrame
from cartrita.domain.errors import Conflict
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.runs import RunStatus

_f, _s = desktop_frames.c, desktop_sessions.c
_action = msgspec.json.Decoder(JsonObject)
_marker = msgspec.json.Decoder(Marker)


class FilmTable:
    """Films by the ids of their desktops."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, desktop_id: DesktopId, frame: NewFrame, most: int) -> int:
        """See FilmStore."""
        counting = (
            update(desktop_sessions)
            .where(_s.id == desktop_id)
            .values(frames=_s.frames + 1, used_at=func.now())
            .returning(_s.frames, _s.owner_id)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(counting)).one_or_none()
            if row is None:
                raise DesktopGone.ended()
            if row.frames > most:  # else it has not so many of anybody
                _require_room(await connection.scalar(_of_actor(desktop_id, frame.actor)), most)
            values = _values(frame) | {"desktop_id": desktop_id, "number": row.frames}
            await connection.execute(insert(desktop_frames).values(**values, owner_id=row.owner_id))
        number: int = row.frames
        return number

    async def settle(self, desktop_id: DesktopId, number: int, frame: NewFrame) -> None:
        """See FilmStore."""
        using = update(desktop_sessions).where(_s.id == desktop_id).values(used_at=func.now())
        settling = (
            update(desktop_frames)
            .where(_f.desktop_id == desktop_id, _f.number == number)
            .values({"error": None} | _values(frame))
        )
        async with self._database.transaction() as connection:
            await connection.execute(using)
            if not (await connection.execute(settling)).rowcount:
                raise DesktopGone.ended()

    async def page(
        self, owner_id: str, desktop_id: DesktopId, after: int, limit: int
    ) -> Sequence[FilmFrame]:
        """See FilmStore."""
        query = (
            select(desktop_frames)
            .where(_f.owner_id == owner_id, _f.desktop_id == desktop_id, _f.number > after)
            .where(_f.number < func.coalesce(_under_way(desktop_id), _f.number + 1))
            .order_by(_f.number)
            .limit(limit)
        )
        return await self._frames(query)

    async def last(self, desktop_id: DesktopId) -> FilmFrame | None:
        """See FilmStore."""
        unknown = _f.error.startswith(UNSETTLED, autoescape=True)
        told = or_(_f.after_id.is_not(None), unknown, _f.actor == "person")
        query = (
            select(desktop_frames)
            .where(_f.desktop_id == desktop_id, told)
            .order_by(_f.number.desc())
            .limit(1)
        )
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _frame(row)

    async def of_run(self, owner_id: str, run_id: RunId) -> Sequence[FilmFrame]:
        """See FilmStore."""
        query = select(desktop_frames).where(_f.owner_id == owner_id, _f.run_id == run_id)
        return await self._frames(query.order_by(_f.at, _f.number))

    async def _frames(self, query: Select[Any]) -> Sequence[FilmFrame]:
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_frame(row) for row in rows]


def _under_way(desktop_id: DesktopId) -> ScalarSelect[int]:
    """The frame of what an agent does now: its last one, while its run and the desktop go on."""
    last = (
        select(_f.number, _f.error, _f.run_id)
        .where(_f.desktop_id == desktop_id, _f.actor == "agent")
        .order_by(_f.number.desc())
        .limit(1)
        .subquery()
    )
    still = [one for one in RunStatus if one.ended or one is RunStatus.WAITING]
    return (
        select(last.c.number)
        .where(
            last.c.error == UNSETTLED,
            ~exists().where(_s.id == desktop_id, _s.ended_at.is_not(None)),
            ~exists().where(runs.c.id == last.c.run_id, runs.c.status.in_(still)),
        )
        .scalar_subquery()
    )


def _of_actor(desktop_id: DesktopId, actor: FrameActor) -> Select[int]:
    """How many frames are those of agents, or of persons."""
    return select(func.count()).where(_f.desktop_id == desktop_id, _f.actor == actor)


def _require_room(found: int | None, most: int) -> None:
    if found is not None and found >= most:
        raise Conflict(
            f"The film of this desktop has {most:,} actions, which is as many as it may: start "
            "another desktop.",
            code="film_full",
        )


def _values(frame: NewFrame) -> dict[str, Any]:
    values = {name: getattr(frame, name) for name in NewFrame.__struct_fields__}
    values["before_id"], values["after_id"] = values.pop("before"), values.pop("after")
    if frame.marker is not None:
        values["marker"] = msgspec.to_builtins(frame.marker)
    return {name: value for name, value in values.items() if value is not None}


def _frame(row: RowMapping) -> FilmFrame:
    values: dict[str, Any] = {**row, "before": row["before_id"], "after": row["after_id"]}
    for name in ("before_id", "after_id", "owner_id"):
        del values[name]
    values["action"] = _action.decode(row["action"])
    values["marker"] = None if row["marker"] is None else _marker.decode(row["marker"])
    return FilmFrame(**values)
