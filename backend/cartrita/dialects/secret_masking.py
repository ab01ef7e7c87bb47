"""Finds credentials in what a provider says, also where it repeats them in another encoding.

Providers repeat the header that they refuse, or the address; proxies before them encode it.
"""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache

from cartrita.kit.secret import Secret

MASK = "***"
_SHORTEST = 8
"""A shorter one is no key, and may be a part of ordinary words."""
_SHORTEST_ENCODED = 10
"""What is left of a short secret in Base64 may be a part of ordinary words too."""


def masked(text: str, secrets: tuple[Secret, ...], most: int) -> str:
    """The first characters of a text without the secrets, as a rule more than `most`.

    Each is found whatever its case and its encoding: Base64, with what stands before and after it
    or without, its variety for URLs, hexadecimal digits, and percent signs.
    """
    values = _values(secrets)
    cut = 4 * most  # what begins before it is looked at to its end
    begun = text[: cut + max((3 * len(value.encode()) for value in values), default=0)]
    spans = sorted(found.span() for value in values for found in _pattern(value).finditer(begun))
    told, end = "", 0
    for start, stop in spans:
        if end <= start < cut:
            told += begun[end:start] + MASK
        if start < cut:
            end = max(end, stop)
    return told + begun[end:cut]


def reveals(text: str, secrets: tuple[Secret, ...]) -> bool:
    """Whether one of the secrets is in a text, in any of these encodings."""
    return any(
        len(value) <= len(text) and _pattern(value).search(text) is not None
        for value in _values(secrets)  # no encoding is shorter
    )


def _values(secrets: tuple[Secret, ...]) -> list[str]:
    """Those that are long enough to be keys."""
    values = [secret.reveal() for secret in secrets]
    return [value for value in values if len(value) >= _SHORTEST]


@lru_cache(maxsize=64)
def _pattern(value: str) -> re.Pattern[str]:
    """What finds a secret: to make that of a token of 1,500 characters takes 25 ms."""
    return re.compile("|".join(_forms(value)), re.IGNORECASE)


def _forms(value: str) -> Iterator[str]:
    """Patterns of a secret in each encoding."""
    secret = value.encode()
    yield "".join(
        one if one.isascii() and one.isalnum() else f"(?:{re.escape(one)}|{_percent(one)})"
        for one in value
    )
    yield _percent(value)
    yield secret.hex()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret)
        # The first and last characters also tell of what stands before and after the secret.
        start, spare = -(-before * 8 // 6), (before + len(secret)) % 3
        core = encoded.rstrip(b"=")[start : -1 if spare else None].decode()
        if len(core) >= _SHORTEST_ENCODED:
            yield re.escape(core).replace(r"\+", "[+-]").replace("/", "[/_]")


def _percent(text: str) -> str:
    return "".join(f"%{octet:02x}" for octet in text.encode())
