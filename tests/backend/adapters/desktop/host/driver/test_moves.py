"""A drag goes through all of its places, in strides that toolkits see, and never forever."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.adapters.desktop.host.driver.hand import moves
from cartrita.domain.desktop import Point

_PLACE = st.builds(Point, st.integers(0, 1279), st.integers(0, 799))


@examples
@given(st.lists(_PLACE, min_size=2, max_size=256))
def test_moves_are_close_bounded_and_through_all_places(path: list[Point]) -> None:
    made = list(moves(path))
    assert made[-1] == path[-1]
    remaining = iter(made)
    assert all(place in remaining for place in path[1:]), "all, in order"
    assert len(made) <= 400 + len(path)
    length = sum(max(abs(a.x - b.x), abs(a.y - b.y)) for a, b in pairwise(path))
    longest = max(max(abs(a.x - b.x), abs(a.y - b.y)) for a, b in pairwise([path[0], *made]))
    assert longest <= max(8, -(-length // 400)) + 1
