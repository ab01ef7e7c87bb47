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
    """The first characters of a text, `most` at least if it has them, without the secrets.

    Each is found whatever its case and its encoding: Base64, with what stands before and after it
    or without, its variety for URLs, hexadecimal digits, and percent signs.
    """
    pattern, longest = _pattern(secrets)
    begun = text[: 4 * most]
    cut = len(begun) < len(text)
    if pattern is not None:
        begun = pattern.sub(MASK, begun)
    return begun[:-longest] if cut and longest else begun


def reveals(text: str, secrets: tuple[Secret, ...]) -> bool:
    """Whether one of the secrets is in a text, in any of these encodings."""
    pattern, _ = _pattern(secrets)
    return pattern is not None and pattern.search(text) is not None


def _pattern(secrets: tuple[Secret, ...]) -> tuple[re.Pattern[str] | None, int]:
    """What finds the secrets, and the length of the longest form of one."""
    revealed = (secret.reveal() for secret in secrets)
    return _compiled(tuple(value for value in revealed if len(value) >= _SHORTEST))


@lru_cache(maxsize=64)
def _compiled(values: tuple[str, ...]) -> tuple[re.Pattern[str] | None, int]:
    if not values:
        return None, 0
    forms = [form for value in values for form in _forms(value)]
    longest = 3 * max(len(value.encode()) for value in values)  # each character as %XX
    return re.compile("|".join(forms), re.IGNORECASE), longest


def _forms(value: str) -> Iterator[str]:
    """Patterns of a secret in each encoding."""
    secret = value.encode()
    yield "".join(f"(?:{re.escape(one)}|{_percent(one)})" for one in value)
    yield secret.hex()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret)
        # The first and last characters also tell of what stands before and after the secret.
        start, spare = -(-before * 8 // 6), (before + len(secret)) % 3
        core = encoded.rstrip(b"=")[start : -1 if spare else None].decode()
        if len(core) >= _SHORTEST_ENCODED:
            yield re.escape(core).replace(r"\+", "[+-]").replace("/", "[/_]")


def _percent(character: str) -> str:
    return "".join(f"%{octet:02x}" for octet in character.encode())
