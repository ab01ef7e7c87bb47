"""Conditions for files that are still there, and for what is of one."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Text, Uuid, and_, bindparam, func, or_, select

from cartrita.adapters.persistence.tables.files import attachments
from cartrita.domain.passages import PassageQuery

_a = attachments.c

OWNER = bindparam("owner_id", type_=Text())
CONTENT = bindparam("content_id", type_=Uuid())
LIMIT = bindparam("limit", type_=Integer())


def values_of(query: PassageQuery) -> dict[str, Any]:
    """What a statement with the parameters above is executed with."""
    return {"owner_id": query.owner_id, "content_id": query.content_id, "limit": query.limit}


def present() -> ColumnElement[bool]:
    """The file's time is not over."""
    return or_(_a.expires_at.is_(None), _a.expires_at > func.now())


def of_a_file(content_id: ColumnElement[UUID], *, one: bool) -> ColumnElement[bool]:
    """The content is that of a file which the owner still has; of `one` it is the parameter."""
    file = select(_a.id).where(_a.content_id == content_id, present())
    return and_(content_id == CONTENT, file.exists()) if one else file.exists()


def once(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A subquery: PostgreSQL's plan for any parameters computes all else anew for each row."""
    return select(value).scalar_subquery()
