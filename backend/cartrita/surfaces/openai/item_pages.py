"""Pages of items, as lists of input and of a conversation's items have them."""

from collections.abc import Sequence
from typing import Any, Literal

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, StoredMessage
from cartrita.kit import ids
from cartrita.surfaces.openai.response_heads import response_id


def owned(stored: StoredMessage) -> tuple[str, Message]:
    """A message with the id that the ids of its items begin with."""
    if stored.run_id is not None:
        return response_id(stored.run_id), stored.message
    return ids.public("msg", stored.id), stored.message


def item_page(
    items: Sequence[JsonObject], limit: int, order: Literal["asc", "desc"], after: str | None
) -> dict[str, Any]:
    """At most `limit` of the items, which are given oldest first, after one of them."""
    ordered = list(items) if order == "asc" else list(reversed(items))
    names = [item.get("id") for item in ordered]
    start = names.index(after) + 1 if after in names else 0
    page = ordered[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0].get("id") if page else None,
        "last_id": page[-1].get("id") if page else None,
        "has_more": start + limit < len(ordered),
    }
