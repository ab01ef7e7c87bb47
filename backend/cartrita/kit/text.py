"""Unicode scalar values without NUL: the text that Postgres, JSON and every client can hold."""

import re
from typing import cast

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PAIRS = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def scalar(text: str) -> str:
    """Join surrogate pairs, replace lone surrogates by U+FFFD, drop NUL."""
    if not _UNSTORABLE.search(text):
        return text
    paired = _PAIRS.sub(lambda m: m[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _UNSTORABLE.sub(lambda m: "" if m[0] == "\x00" else "\ufffd", paired)


def scalars(value: object) -> object:
    """The same for every string inside a JSON value."""
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        return {scalar(str(name)): scalars(item) for name, item in pairs.items()}
    if isinstance(value, list):
        return [scalars(item) for item in cast("list[object]", value)]
    return value
