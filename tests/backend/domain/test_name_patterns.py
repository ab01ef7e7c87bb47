"""Patterns of names match as people expect, and quickly."""

import re

import pytest

from cartrita.domain.name_patterns import expression, matches


@pytest.mark.parametrize(
    ("patterns", "name", "found"),
    [
        (("a",), "a", True),
        (("a",), "ab", False),
        (("a*",), "ab", True),
        (("*",), "", True),
        (("x", "*b"), "ab", True),
        (("a?",), "ab", False),
        (("a?",), "a?", True),
        (("[a]",), "a", False),
        (("[a]",), "[a]", True),
        ((), "a", False),
        (("*",), "a" * 1001, False),
    ],
)
def test_matches(patterns: tuple[str, ...], name: str, found: bool) -> None:
    assert matches(patterns, name) is found


def test_many_wildcards_do_not_take_long() -> None:
    pattern = expression("*a" * 30 + "b")
    assert re.compile(pattern).match("a" * 1000) is None
