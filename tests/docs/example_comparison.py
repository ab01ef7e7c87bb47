"""Compares an answer with the example that a document shows of it."""

import re
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


def is_printed(shown: str, got: str) -> bool:
    """Whether a text is what was printed, where `...` stands for anything in its line.

    A line of `...` alone stands for any number of lines.
    """
    lines = [re.escape(line.strip()).replace(r"\.\.\.", ".*") for line in shown.splitlines()]
    pattern = "".join("(.*\n)*" if line == ".*" else f" *{line} *\n" for line in lines)
    return re.fullmatch(pattern, got.strip("\n") + "\n") is not None


def _kind(value: object) -> type:
    """JSON knows one kind of number."""
    return float if type(value) is int else type(value)
