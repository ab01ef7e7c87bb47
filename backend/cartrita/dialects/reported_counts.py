"""Counts as servers report them, read from JSON of which nothing else is expected.

Some write 10.0, or a list where an object should be: what cannot be read is not told, and spoils no
answer.
"""

from cartrita.domain.json import JsonValue
from cartrita.domain.usage import reported_tokens


def count_of(value: JsonValue) -> int | None:
    """The count that a value is; None if it is something else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return reported_tokens(value)


def count_at(value: JsonValue, *path: str) -> int | None:
    """The count at this place; None where there is none, or something else."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return count_of(value)
