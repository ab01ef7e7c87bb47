"""What endpoints that answer in pages take and answer."""

from typing import Annotated, Generic, TypeAlias, TypeVar

from fastapi import Query
from pydantic import BaseModel

from cartrita.application.conversations.conversations import PAGE_MAX
from cartrita.surfaces.dependencies import Storable

Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_MAX)]
PageCursor: TypeAlias = Annotated[
    Storable | None, Query(max_length=500, description="`next_cursor` of the page before.")
]

T = TypeVar("T")


class PageOf(BaseModel, Generic[T]):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[T]
    next_cursor: str | None
