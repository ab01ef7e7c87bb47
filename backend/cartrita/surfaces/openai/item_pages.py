"""Pages of items, as lists of input and of a conversation's items have them."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from fastapi import Query

from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, StoredMessage
from cartrita.kit import ids
from cartrita.surfaces.openai.conversation_schemas import ItemList
from cartrita.surfaces.openai.response_heads import response_id

Limit: TypeAlias = Annotated[int, Query(ge=1, le=100, description="The most items of a page.")]
Order: TypeAlias = Annotated[
    Literal["asc", "desc"], Query(description="`asc` has the oldest item first.")
]
After: TypeAlias = Annotated[
    str | None, Query(max_length=255, description="The id of the item that the page follows.")
]
Include: TypeAlias = Annotated[
    list[str] | None,
    Query(description="`reasoning.encrypted_content` shows it; other values change nothing."),
]
IncludeInBrackets: TypeAlias = Annotated[
    list[str] | None, Query(alias="include[]", description="The same, as some SDKs write it.")
]


def owned(stored: StoredMessage) -> tuple[str, Message]:
    """A message with the id that the ids of its items begin with."""
    if stored.run_id is not None:
        return response_id(stored.run_id), stored.message
    return ids.public("msg", stored.id), stored.message


def item_page(
    items: Sequence[JsonObject], limit: int, order: Literal["asc", "desc"], after: str | None
) -> ItemList:
    """At most `limit` of the items, which are given oldest first, after one of them.

    Raises InvalidInput if that one is not among them.
    """
    ordered = list(items) if order == "asc" else list(reversed(items))
    names = [item.get("id") for item in ordered]
    if after is not None and after not in names:
        raise InvalidInput.of("after", "there is no such item in this list; begin without it")
    start = 0 if after is None else names.index(after) + 1
    page = ordered[start : start + limit]
    return ItemList(
        object="list",
        data=page,
        first_id=_id(page[0]) if page else None,
        last_id=_id(page[-1]) if page else None,
        has_more=start + limit < len(ordered),
    )


def _id(item: JsonObject) -> str:
    return str(item.get("id", ""))
