"""Counts that only some servers report, read from JSON of which nothing else is expected."""

from cartrita.domain.json import JsonValue
from cartrita.domain.usage import reported_tokens


def count_at(value: JsonValue, *path: str) -> int | None:
    """The count at this place; None where there is none, or something else."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return reported_tokens(value)
