"""The judge of the campaign on desktops sees what must not be."""

from collections import Counter

from tests.harness.desktop_campaign import done, wrong
from tests.harness.desktop_witness import Pressed


def test_what_was_done_twice_or_not_allowed_is_told() -> None:
    counts = Counter(done("0aab\n0aa0aac\nx0aad\n0aad\n", [Pressed(1, 2), Pressed(3, 4)]))
    assert counts == {
        "{'x': 1, 'y': 2}": 1, "{'x': 3, 'y': 4}": 1, "0aab": 1, "0aac": 1, "0aad": 2
    }  # fmt: skip
    allowed = {"{'x': 1, 'y': 2}": True, "0aab": True, "0aac": False, "0aad": True}
    assert list(wrong(counts, allowed)) == [
        "{'x': 3, 'y': 4} was done, and not allowed",
        "0aac was done, and not allowed",
        "0aad was done 2 times",
    ]
