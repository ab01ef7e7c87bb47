"""Refuses the JSON of a provider that its readers break on, ours and the official clients."""

import re
from typing import Any, Final

import msgspec

from cartrita.kit import surrogate_json
from cartrita.kit.json_depth import MAX_ANSWER_DEPTH, nests_deeper

MAX_DIGITS: Final = 4_300
"""The digits of the longest whole number that Python reads, and thus the official clients."""

_decode = msgspec.json.Decoder().decode
_LONG = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def refuse_unreadable(data: str | bytes) -> None:
    """Raise ValueError if the JSON is nested too deep, or holds a number that is too long."""
    if nests_deeper(data, MAX_ANSWER_DEPTH):
        raise ValueError("it is nested too deeply")
    if len(data) > MAX_DIGITS:
        octets = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        if _may_hold_long_number(octets) and _LONG.search(_STRING.sub(b"", octets)):
            raise ValueError("a number in it is too long")


def read(data: str | bytes) -> Any:  # noqa: ANN401 - any JSON, which the caller checks
    """The value of JSON. Raises ValueError if it is none, or cannot be read by all."""
    refuse_unreadable(data)
    try:
        return _decode(data)
    except (ValueError, RecursionError):
        return surrogate_json.decode(data, object)


def _may_hold_long_number(octets: bytes) -> bool:
    """Whether so many digits follow each other: then each so many bytes hit one."""
    return any(
        _LONG.search(octets, max(at - MAX_DIGITS, 0), at + MAX_DIGITS + 1)
        for at in range(MAX_DIGITS, len(octets), MAX_DIGITS)
        if octets[at : at + 1].isdigit()
    )
