"""Text that Postgres and UTF-8 can store: Unicode scalar values without NUL."""

import re
from typing import cast

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PAIRS = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def storable_text(text: str) -> str:
    """The text with surrogate pairs joined, lone surrogates replaced by U+FFFD and NUL removed."""
    if not _UNSTORABLE.search(text):
        return text
    paired = _PAIRS.sub(lambda m: m[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _UNSTORABLE.sub(lambda m: "" if m[0] == "\x00" else "\ufffd", paired)


def storable_json(value: object) -> object:
    """A JSON value with `storable_text` applied to every string in it, object keys included."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        return {storable_text(str(name)): storable_json(item) for name, item in pairs.items()}
    if isinstance(value, list):
        return [storable_json(item) for item in cast("list[object]", value)]
    return value
