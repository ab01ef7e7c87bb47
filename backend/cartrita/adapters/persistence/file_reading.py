"""Contents that are to be read, and the pages and passages that were: implements ReadingQueue."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.files import (
    file_contents,
    file_pages,
    passage_embeddings,
    passages,
)
from cartrita.domain.files import ContentId, FilePage, FileStatus, ReadingClaim
from cartrita.domain.passages import passages_of

_f, _p = file_contents.c, file_pages.c
_MOST_ATTEMPTS = 3
_MOST_READERS = 16
"""Owners that are looked at, of whom others may be claiming something right now."""
_GIVEN_UP = "The server could not read it in three attempts."


class ReadingTable:
    """`silence_s` is after how many seconds a reader that tells nothing counts as gone.

    `owner_characters` are the most of all that is read of one owner's files.
    """

    def __init__(
        self, database: Database, *, silence_s: float, owner_characters: int = 500_000_000
    ) -> None:
        self._database = database
        self._next = _next(silence_s).scalar_subquery()
        self._owner_characters = owner_characters

    async def claim(self) -> ReadingClaim | None:
        """See ReadingQueue."""
        while True:
            statement = (
                update(file_contents)
                .where(_f.id == self._next)
                .values(
                    status=FileStatus.READING.value,
                    attempt=_f.attempt + 1,
                    progress=0,
                    changed_at=func.now(),
                )
                .returning(
                    _f.id, _f.media_type, _f.size, _f.attempt, _f.excused, _of_owner().label("read")
                )
            )
            async with self._database.use() as connection:
                row = (await connection.execute(statement)).one_or_none()
            if row is None:
                return None
            claim = ReadingClaim(ContentId(row.id), row.media_type, row.size, row.attempt)
            if row.attempt - row.excused > _MOST_ATTEMPTS:
                await self.fail(claim, _GIVEN_UP)
            elif row.read >= self._owner_characters:
                await self.fail(
                    claim,
                    f"Your files have more than the {self._owner_characters:,} characters of text "
                    "that are kept: delete some, and upload it again.",
                )
            else:
                return claim

    async def add(self, claim: ReadingClaim, pages: Sequence[FilePage], progress: float) -> bool:
        """See ReadingQueue."""
        moving = (
            update(file_contents)
            .where(_held(claim))
            .values(progress=progress, changed_at=func.now())
            .returning(_f.owner_id)
        )
        async with self._database.transaction() as connection:
            owner_id: str | None = await connection.scalar(moving)
            if owner_id is None:
                return False
            if pages:
                await _store(connection, owner_id, claim.content_id, pages)
        return True

    async def finish(
        self, claim: ReadingClaim, image_type: str | None = None, image_size: int = 0
    ) -> bool:
        """See ReadingQueue."""
        of_it = _p.content_id == claim.content_id
        pages = select(func.count()).select_from(file_pages).where(of_it).scalar_subquery()
        characters = select(func.coalesce(func.sum(func.length(_p.text)), 0)).where(of_it)
        return await self._settle(
            claim,
            status=FileStatus.READY.value,
            progress=1,
            reason=None,
            image_type=image_type,
            image_size=image_size,
            pages=pages,
            characters=characters.scalar_subquery(),
        )

    async def fail(self, claim: ReadingClaim, reason: str) -> None:
        """See ReadingQueue."""
        async with self._database.transaction() as connection:
            held = await connection.scalar(
                update(file_contents)
                .where(_held(claim))
                .values(status=FileStatus.UNREADABLE.value, reason=reason, changed_at=func.now())
                .returning(_f.id)
            )
            if held is not None:
                await connection.execute(delete(file_pages).where(_p.content_id == held))

    async def release(self, claim: ReadingClaim) -> None:
        """See ReadingQueue."""
        await self._settle(
            claim, status=FileStatus.STORED.value, progress=0, excused=_f.excused + 1
        )

    async def _settle(self, claim: ReadingClaim, **values: object) -> bool:
        """Whether it was still this reader's."""
        statement = update(file_contents).where(_held(claim))
        async with self._database.use() as connection:
            done = await connection.execute(statement.values(**values, changed_at=func.now()))
        return done.rowcount == 1


def _next(silence_s: float) -> Select[UUID]:
    """The content that is to be read next, locked."""
    age = func.now() - _f.changed_at
    silence = func.make_interval(0, 0, 0, 0, 0, 0, literal(silence_s))
    reading = _f.status == FileStatus.READING.value
    waiting = or_(_f.status == FileStatus.STORED.value, and_(reading, age > silence))
    owners = (
        select(_f.owner_id, func.min(_f.changed_at).label("since"))
        .where(waiting)
        .group_by(_f.owner_id)
        .subquery("owners")
    )
    theirs = _f.owner_id == owners.c.owner_id
    busy = exists().where(theirs, reading, age <= silence)
    last = select(func.max(_f.changed_at)).where(theirs, _f.attempt > 0).scalar_subquery()
    first = (
        select(owners.c.owner_id)
        .order_by(busy, last.nulls_first(), owners.c.since)
        .limit(_MOST_READERS)
        .subquery("first")
    )
    one = (
        select(_f.id)
        .where(_f.owner_id == first.c.owner_id, waiting)
        .order_by(_f.changed_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .lateral("one")
    )
    return select(one.c.id).select_from(first.join(one, true())).limit(1)  # in the order of `first`


def _of_owner() -> ScalarSelect[int]:
    """The characters of all that was read of the owner of a content."""
    others = file_contents.alias("others")
    read = func.coalesce(func.sum(others.c.characters), 0)
    return select(read).where(others.c.owner_id == _f.owner_id).scalar_subquery()


async def _store(
    connection: AsyncConnection, owner_id: str, content_id: ContentId, pages: Sequence[FilePage]
) -> None:
    """Pages with their passages, in place of what another reader stored of them."""
    new = insert(file_pages)
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=[_p.content_id, _p.number], set_={"text": new.excluded.text}
        ),
        [
            {
                "content_id": content_id,
                "number": page.number,
                "owner_id": owner_id,
                "text": page.text,
            }
            for page in pages
        ],
    )
    of_these = passages.c.page.between(pages[0].number, pages[-1].number)
    await connection.execute(delete(passages).where(passages.c.content_id == content_id, of_these))
    rows = [
        {
            "content_id": content_id,
            "page": passage.page,
            "number": passage.number,
            "owner_id": owner_id,
            "start": passage.start,
            "text": passage.text,
        }
        for page in pages
        for passage in passages_of(page)
    ]
    if not rows:
        return
    await connection.execute(insert(passages), rows)
    s = passages.c
    await connection.execute(
        insert(passage_embeddings).from_select(
            ["content_id", "page", "number", "owner_id"],
            select(s.content_id, s.page, s.number, s.owner_id).where(
                s.content_id == content_id, of_these
            ),
        )
    )


def _held(claim: ReadingClaim) -> ColumnElement[bool]:
    """It is still this reader that has it."""
    content: UUID = claim.content_id
    return and_(
        _f.id == content,
        _f.status == FileStatus.READING.value,
        _f.attempt == claim.attempt,
    )
