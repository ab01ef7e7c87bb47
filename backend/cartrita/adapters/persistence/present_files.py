"""Conditions for files that are still there, and for what is of one."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from cartrita.adapters.persistence.file_tables import attachments
from cartrita.domain.passages import PassageQuery

_a = attachments.c


def present() -> ColumnElement[bool]:
    """The file's time is not over."""
    return or_(_a.expires_at.is_(None), _a.expires_at > func.now())


def of_a_file(query: PassageQuery, content_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The content is that of a file which the owner still has; of the file of the query."""
    file = select(_a.id).where(_a.content_id == content_id, present())
    if query.content_id is None:
        return file.exists()
    return and_(content_id == query.content_id, file.exists())
