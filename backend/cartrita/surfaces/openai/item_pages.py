"""Pages of items, as lists of input and of a conversation's items have them."""

from collections.abc import AsyncIterable, Sequence
from typing import Annotated, Literal, TypeAlias

from fastapi import Query

from cartrita.dialects.openai_responses.response_rendering import OwnedMessage, input_items
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import MessageStatus, StoredMessage
from cartrita.kit import ids
from cartrita.surfaces.openai.conversation_schemas import ItemList
from cartrita.surfaces.openai.response_heads import response_id

Limit: TypeAlias = Annotated[int, Query(ge=1, le=100, description="The most items of a page.")]
Ordered: TypeAlias = Literal["asc", "desc"]
Order: TypeAlias = Annotated[Ordered, Query(description="`asc` has the oldest item first.")]
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


def owned(stored: StoredMessage) -> OwnedMessage:
    """A message with the id that the ids of its items begin with."""
    run_id = stored.run_id
    owner = ids.public("msg", stored.id) if run_id is None else response_id(run_id)
    return OwnedMessage(owner, stored.message, stored.status is MessageStatus.PARTIAL)


def item_page(
    items: Sequence[JsonObject], limit: int, order: Ordered, after: str | None
) -> ItemList:
    """At most `limit` of the items, which are given oldest first, after one of them.

    Raises InvalidInput if that one is not among them.
    """
    ordered = items if order == "asc" else items[::-1]
    names = [item.get("id") for item in ordered]
    if after is not None and after not in names:
        raise _not_in_the_list()
    start = 0 if after is None else names.index(after) + 1
    return _page(ordered[start : start + limit + 1], limit)


async def read_item_page(
    stored: AsyncIterable[StoredMessage],
    limit: int,
    order: Ordered,
    after: str | None,
    include: tuple[str, ...] = (),
) -> ItemList:
    """The page of the items of messages that come in this order; no more are read than it needs.

    Raises InvalidInput if the item that it follows is not among them.
    """
    found: list[JsonObject] = []
    passed = after is None
    async for message in stored:
        items = input_items([owned(message)], include=include)
        for item in items if order == "asc" else reversed(items):
            if passed:
                found.append(item)
            passed = passed or item.get("id") == after
        if len(found) > limit:
            break
    if not passed:
        raise _not_in_the_list()
    return _page(found, limit)


def _page(following: Sequence[JsonObject], limit: int) -> ItemList:
    page = list(following[:limit])
    return ItemList(
        object="list",
        data=page,
        first_id=_id(page[0]) if page else None,
        last_id=_id(page[-1]) if page else None,
        has_more=len(following) > limit,
    )


def _not_in_the_list() -> InvalidInput:
    return InvalidInput.of("after", "there is no such item in this list; begin without it")


def _id(item: JsonObject) -> str:
    return str(item.get("id", ""))
