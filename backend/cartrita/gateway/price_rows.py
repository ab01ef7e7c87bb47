"""Rows of price tables: which holds for whom on which day."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Generic, Protocol, TypeAlias, TypeVar

Named: TypeAlias = tuple[str, str]
"""What is sold: the names of a provider, and of its model or of what is asked of it."""


class Row(Protocol):
    """A price of everybody's, or of one `tenant`, from the day `since` on."""

    @property
    def tenant(self) -> str | None: ...

    @property
    def since(self) -> date | None: ...


RowT = TypeVar("RowT", bound=Row)


class PriceRows(Generic[RowT]):
    """Finds rows in tables, of which a later one replaces all that earlier ones say of a thing."""

    def __init__(self, tables: Iterable[Iterable[RowT]], name: Callable[[RowT], Named]) -> None:
        self._rows: dict[tuple[str | None, Named], dict[date, RowT]] = {}
        for table in tables:
            found: dict[tuple[str | None, Named], dict[date, RowT]] = {}
            for row in table:
                found.setdefault((row.tenant, name(row)), {})[row.since or date.min] = row
            self._rows |= found

    def find(self, tenant: str | None, named: Named, day: date) -> RowT | None:
        """The latest row of this tenant, or of everybody, that holds on that day."""
        rows = self._rows.get((tenant, named))
        if rows is None:
            return None
        begun = max((since for since in rows if since <= day), default=None)
        return None if begun is None else rows[begun]
