"""Pages of models hold what Anthropic's SDKs ask for, in both directions."""

import pytest

from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.anthropic.models import model_page

IDS = ["a/1", "b/2", "c/3", "d/4"]


@pytest.mark.parametrize(
    ("limit", "after", "before", "found", "more"),
    [
        (20, None, None, IDS, False),
        (2, None, None, IDS[:2], True),
        (2, "b/2", None, IDS[2:], False),
        (2, None, "d/4", IDS[1:3], True),
        (3, None, "d/4", IDS[:3], False),
        (2, "d/4", None, [], False),
    ],
)
def test_a_page(
    limit: int, after: str | None, before: str | None, found: list[str], more: bool
) -> None:
    page = model_page(IDS, limit, after, before)
    assert [model.id for model in page.data] == found
    assert page.has_more == more
    assert (page.first_id, page.last_id) == ((found[0], found[-1]) if found else (None, None))


def test_a_place_that_does_not_exist() -> None:
    with pytest.raises(InvalidInput, match="after_id"):
        model_page(IDS, 2, "z", None)
