"""Pages of items, in both orders, after any of them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.backend.application.fakes import stored_message

from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Message, Role, StoredMessage, Text
from cartrita.surfaces.openai.item_pages import Ordered, item_page, owned, read_item_page

ITEMS: list[Any] = [{"id": f"msg_{number}"} for number in range(5)]


@pytest.mark.parametrize(
    ("order", "after", "found", "more"),
    [
        ("asc", None, ["msg_0", "msg_1"], True),
        ("desc", None, ["msg_4", "msg_3"], True),
        ("asc", "msg_2", ["msg_3", "msg_4"], False),
        ("desc", "msg_1", ["msg_0"], False),
        ("desc", "msg_0", [], False),
    ],
)
def test_a_page(order: Ordered, after: str | None, found: list[str], more: bool) -> None:
    page = item_page(ITEMS, 2, order, after)
    assert [item["id"] for item in page.data] == found
    assert (page.first_id, page.last_id) == ((found[0], found[-1]) if found else (None, None))
    assert page.has_more is more


def test_an_item_that_is_not_there() -> None:
    with pytest.raises(InvalidInput) as raised:
        item_page(ITEMS, 2, "asc", "msg_9")
    assert list(raised.value.fields) == ["after"]


STORED = [stored_message("", message=Message(Role.USER, (Text(str(at)),))) for at in range(5)]


def shown(stored: StoredMessage) -> str:
    return f"msg_{owned(stored).owner.partition('_')[2]}0000"


class Walk:
    """Messages one by one; counts those that were read."""

    def __init__(self, order: Ordered) -> None:
        self._messages = STORED if order == "asc" else STORED[::-1]
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[StoredMessage]:
        for message in self._messages:
            self.read += 1
            yield message


@pytest.mark.parametrize(
    ("order", "after", "found", "more", "read"),
    [
        ("asc", None, ["0", "1"], True, 3),
        ("desc", None, ["4", "3"], True, 3),
        ("asc", 2, ["3", "4"], False, 5),
        ("desc", 3, ["2", "1"], True, 5),
    ],
)
async def test_no_more_is_read_than_a_page_needs(
    order: Ordered, after: int | None, found: list[str], more: bool, read: int
) -> None:
    walk = Walk(order)
    follows = None if after is None else shown(STORED[after])
    page: Any = await read_item_page(walk, 2, order, follows)
    assert [item["content"][0]["text"] for item in page.data] == found
    assert (page.has_more, walk.read) == (more, read)


async def test_a_page_after_an_item_of_another_list() -> None:
    with pytest.raises(InvalidInput):
        await read_item_page(Walk("asc"), 2, "asc", "msg_0000")
