"""Patterns of names, in which `*` stands for any text."""

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

LONGEST_NAME: Final = 1000
"""Names that are longer are not compared: a megabyte takes seconds, and everybody waits."""


def matches(patterns: Sequence[str], name: str) -> bool:
    """Whether a name is like one of these."""
    if not patterns or len(name) > LONGEST_NAME:
        return False
    return _compiled(tuple(patterns)).match(name) is not None


def expression(pattern: str) -> str:
    """A regular expression of all that is like a pattern, with `*` as the only wildcard.

    It does not backtrack into what a `*` has matched.
    """
    return translate("".join(f"[{one}]" if one in "?[" else one for one in pattern))


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(expression, patterns)))
