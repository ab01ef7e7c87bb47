"""Compares an answer with the example that a document shows of it."""

from collections.abc import Iterator
from typing import Any


def differences(shown: Any, got: Any, place: str = "answer") -> Iterator[str]:
    """What the example shows and the answer does not have; values may differ, types may not.

    An example may leave fields out, but not invent any. A list's items are compared with its
    first one; null stands for anything.
    """
    match shown, got:
        case (None, _) | (_, None):
            return
        case dict(), dict():
            for name in shown:
                if name in got:
                    yield from differences(shown[name], got[name], f"{place}.{name}")
                else:
                    yield f"{place} has no {name}"
        case list(), list():
            for one, other in zip(shown[:1], got[:1], strict=False):
                yield from differences(one, other, f"{place}[0]")
        case _:
            if _kind(shown) is not _kind(got):
                yield f"{place} is {got!r}, shown as {shown!r}"


def _kind(value: object) -> type:
    """JSON knows one kind of number."""
    return float if type(value) is int else type(value)
