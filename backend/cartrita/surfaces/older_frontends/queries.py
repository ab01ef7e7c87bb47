"""The queries of older frontends, as the native API reads them."""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlencode

import msgspec

from cartrita.surfaces.older_frontends.absent_values import is_absent
from cartrita.surfaces.older_frontends.chat_fields import native_chat_fields

Pairs: TypeAlias = list[tuple[str, str]]

_MOST_PARAMETERS: Final = 200
_CONTENT: Final = frozenset({"message", "q"})
"""What a person wrote, who may have written any word."""
_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_OTHER_NAMES: Final = {"is_archived": "archived", "is_pinned": "pinned"}
_KINDS: Final = "types"
_CHAT: Final = "/api/chat/"
_PAGES: Final = re.compile(r"/api/(files|conversations(/[^/]+/messages)?)")


def native_query(path: str, query: bytes) -> bytes:
    """The query with the names of the native API, and without values that are none.

    One that cannot be read is left as it is, so that the native API says what is wrong with it.
    """
    pairs = _pairs(query)
    if pairs is None:
        return query
    found = [
        (_native_name(name), value)
        for name, value in pairs
        if name in _CONTENT or not is_absent(value)
    ]
    if path == "/api/search":
        found = _with_kinds(found)
    if path.startswith(_CHAT):
        found = _with_native_context(found)
    return query if found == pairs else urlencode(found).encode()


def without_offset(path: str, query: bytes) -> tuple[bytes, int]:
    """The query of a list whose pages have cursors, and how many items are to be passed over."""
    pairs = _pairs(query) if _PAGES.fullmatch(path) else None
    offset = dict(pairs or ()).get("offset", "")
    if not pairs or not re.fullmatch(r"[0-9]{1,9}", offset):
        return query, 0
    return urlencode([pair for pair in pairs if pair[0] != "offset"]).encode(), int(offset)


def with_parameters(query: bytes, **values: str | int) -> bytes:
    """The query with these values instead of what it has for them."""
    kept = [pair for pair in _pairs(query) or () if pair[0] not in values]
    return urlencode([*kept, *((name, str(value)) for name, value in values.items())]).encode()


def _pairs(query: bytes) -> Pairs | None:
    try:
        return parse_qsl(
            query.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        return None


def _native_name(name: str) -> str:
    snake = _HUMP.sub(r"_\1", name.removesuffix("[]")).lower()
    return _OTHER_NAMES.get(snake, snake)


def _with_kinds(pairs: Pairs) -> Pairs:
    """All kinds in one value; `all` of them is what the native API searches without any."""
    kinds = [part for name, value in pairs if name == _KINDS for part in value.split(",")]
    others = [pair for pair in pairs if pair[0] != _KINDS]
    return others if not kinds or "all" in kinds else [*others, (_KINDS, ",".join(kinds))]


def _with_native_context(pairs: Pairs) -> Pairs:
    """An object as context stands in the metadata instead, as in a body."""
    given = {name: read for name, value in pairs if (read := _object(value)) is not None}
    moved = native_chat_fields(given)
    if "context" in moved or "context" not in given:
        return pairs
    told = ("metadata", msgspec.json.encode(moved["metadata"]).decode())
    return [*_others(pairs), told]


def _others(pairs: Iterable[tuple[str, str]]) -> Pairs:
    return [pair for pair in pairs if pair[0] not in ("context", "metadata")]


def _object(value: str) -> object | None:
    """The object that a value is; None for any other."""
    if not value.startswith("{"):
        return None
    try:
        return msgspec.json.decode(value, type=dict[str, object])
    except ValueError:
        return None
