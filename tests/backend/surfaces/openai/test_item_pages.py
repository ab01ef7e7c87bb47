"""Pages of items, in both orders, after any of them."""

from typing import Any, Literal

import pytest

from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.openai.item_pages import item_page

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
def test_a_page(
    order: Literal["asc", "desc"], after: str | None, found: list[str], more: bool
) -> None:
    page = item_page(ITEMS, 2, order, after)
    assert [item["id"] for item in page.data] == found
    assert (page.first_id, page.last_id) == ((found[0], found[-1]) if found else (None, None))
    assert page.has_more is more


def test_an_item_that_is_not_there() -> None:
    with pytest.raises(InvalidInput) as raised:
        item_page(ITEMS, 2, "asc", "msg_9")
    assert list(raised.value.fields) == ["after"]
