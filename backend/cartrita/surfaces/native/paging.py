"""Query parameters of endpoints that answer in pages."""

from typing import Annotated, TypeAlias

from fastapi import Query

from cartrita.application.conversations.conversations import PAGE_MAX
from cartrita.surfaces.dependencies import Storable

Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_MAX)]
PageCursor: TypeAlias = Annotated[
    Storable | None, Query(max_length=500, description="`next_cursor` of the page before.")
]
