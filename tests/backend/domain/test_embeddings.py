"""Vectors have the length 1, so that their products are cosines."""

import math

import pytest

from cartrita.domain.embeddings import unit_vector


def test_the_length_is_one() -> None:
    assert unit_vector([3, 4]).tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [math.nan, 1.0], [math.inf]])
def test_what_has_no_direction_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="direction"):
        unit_vector(values)
