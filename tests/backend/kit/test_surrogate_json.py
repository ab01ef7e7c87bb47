"""What is JSON but for its surrogates is read, and nothing else."""

import pytest

from cartrita.kit import surrogate_json


def test_halves_of_pairs_are_read() -> None:
    assert surrogate_json.decode(b'["\\ud83d"]', list[str]) == ["\ud83d"]


@pytest.mark.parametrize(
    "data",
    ["", "NaN", "[Infinity]", '{"a":-Infinity}', "[1]x", "7" * 6000, "[" * 200_000, '"a"', "{}"],
)
def test_all_else_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        surrogate_json.decode(data, list[str])
