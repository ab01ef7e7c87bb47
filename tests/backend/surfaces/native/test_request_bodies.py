"""Models of request bodies: names in both cases, nulls as absent, invalid fields by name."""

import pytest

from cartrita.domain.errors import CartritaError, InvalidInput
from cartrita.surfaces.native.request_bodies import RequestModel, validated


class Sample(RequestModel):
    """A body with a field of two words."""

    two_words: str | None = None
    count: int = 3


@pytest.mark.parametrize(
    ("value", "two_words"),
    [
        ({"two_words": "x"}, "x"),
        ({"twoWords": "x"}, "x"),
        ({"two_words": "x", "twoWords": "y"}, "x"),
        ({"two_words": None, "count": None, "other": 1}, None),
    ],
)
def test_names_in_both_manners(value: dict[str, object], two_words: str | None) -> None:
    assert validated(Sample, value) == Sample(two_words=two_words)


def test_what_does_not_fit_names_the_field() -> None:
    with pytest.raises(InvalidInput) as told:
        validated(Sample, {"count": "many"})
    assert list(told.value.fields) == ["count"]
    assert isinstance(told.value, CartritaError)
