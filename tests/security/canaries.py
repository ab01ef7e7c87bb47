"""Secrets that are planted to be looked for: as they are, encoded, reversed and in halves."""

import base64
from collections.abc import Iterable
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
    """The texts that would give a secret away."""
    half = len(secret) // 2
    shown = {secret, secret[:half], secret[half:], secret[::-1], secret[::-1][:half]}
    shown |= {quote(secret, safe=""), secret.encode().hex(), secret.upper()}
    shown |= {repr(secret)[1:-1], secret.replace("/", "\\/")}
    for offset in range(3):  # base64 depends on how many octets stand before
        octets = b"x" * offset + secret.encode()
        inner = base64.b64encode(octets).decode()[4:-4]
        shown |= {inner, inner.replace("+", "-").replace("/", "_")}
    return shown
