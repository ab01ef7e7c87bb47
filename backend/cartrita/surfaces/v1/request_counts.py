"""What the log tells of a request: how much of what is in it, read from its bytes."""

from collections.abc import Mapping
from typing import Final

import msgspec

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import Malformed
from cartrita.kit.long_work import LARGE

_MESSAGES: Final = ("messages", "input")
_TOOLS: Final = ("tools", "functions")
_MOST_TOKENS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def counts_of(body: RelayedBody) -> Mapping[str, int | str | None]:
    """The messages and tools of a request of any dialect, and the most tokens of its answer.

    None of one that is large: to count takes as long as to read it.
    """
    if len(body.octets) >= LARGE:
        return {}
    return {
        "max_tokens": _number(body),
        "messages": _length(body, _MESSAGES),
        "tools": _length(body, _TOOLS) or 0,
    }


def _number(body: RelayedBody) -> int | None:
    for name in _MOST_TOKENS:
        if name in body.spans:
            try:
                value = body.parsed(name)
            except Malformed:
                return None
            return value if isinstance(value, int) else None
    return None


def _length(body: RelayedBody, names: tuple[str, ...]) -> int | None:
    for name in names:
        if (value := body.value(name)) is not None:
            try:
                return len(_items(value))
            except (msgspec.DecodeError, RecursionError):
                return 1 if value.startswith(b'"') else None
    return None
