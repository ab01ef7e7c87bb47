"""Secrets that are planted to be looked for: as they are, encoded, reversed and in halves."""

import base64
import binascii
import html
import json
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote
from uuid import uuid4


class Canaries:
    """The secrets of one test, by where each was planted."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def plant(self, where: str) -> str:
        """A new secret, without the prefix by which logs would know it for one."""
        secret = f"canary/{uuid4().hex}+{uuid4().hex}"
        assert where not in self.planted
        self.planted[where] = secret
        return secret

    def found(self, text: str) -> list[str]:
        """Which secrets a text shows, in whatever form."""
        return [
            f"{where}: {form}"
            for where, secret in self.planted.items()
            for form in forms(secret)
            if form in text
        ]


def forms(secret: str) -> Iterable[str]:
    """The texts that would give a secret away: parts of it, and all of it in each encoding."""
    half = len(secret) // 2
    shown = {secret[:half], secret[half:], secret[::-1][:half], secret.upper()}
    return shown.union(*(encode(secret) for encode in ENCODINGS.values()))


def _escaped(secret: str) -> set[str]:
    """As JSON, Python and HTML write it, however careful they are."""
    careful = "".join(f"\\u{ord(letter):04x}" for letter in secret)
    shown = {json.dumps(secret)[1:-1], repr(secret)[1:-1], secret.replace("/", "\\/"), careful}
    return shown | {html.escape(secret), secret.replace("/", "&#x2F;").replace("+", "&#43;")}


def _base64(secret: str) -> set[str]:
    """It depends on how many octets stand before."""
    inner = [base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)]
    return {*inner, *(each.replace("+", "-").replace("/", "_") for each in inner)}


def _uuencoded(secret: str) -> set[str]:
    """Its lines are of 45 octets, and each first sign says how many: so of the beginning."""
    octets = [b"x" * n + secret.encode() for n in range(3)]
    return {binascii.b2a_uu(each[:36]).decode()[5:-1] for each in octets}


ENCODINGS: Mapping[str, Callable[[str], set[str]]] = {
    "raw": lambda secret: {secret},
    "base64": _base64,
    "URL": lambda secret: {quote(secret, safe=""), quote(secret), quote(quote(secret, safe=""))},
    "escaped": _escaped,
    "hexadecimal": lambda secret: {secret.encode().hex(), secret.encode().hex().upper()},
    "reversed or uuencoded": lambda secret: {secret[::-1], *_uuencoded(secret)},
}
"""How a secret may be hidden in a text, each of them enough to tell it."""
