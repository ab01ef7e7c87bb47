"""The tokens that the OAuth2 endpoint gives out, until they expire or are revoked."""

import time

import msgspec
from tests.harness.fake_provider.seals import Seal

CLIENT_ID = "fake-client"
CLIENT_SECRET = "fake secret: %?"
SCOPES = ("llm.read", "llm.write")


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a token is good for, in seconds; None for ever, which the answer does not tell."""

    expires_in: float | None = 3600


class Tokens:
    """Each token is good until its time is over, by the clock of this server."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._ends: dict[str, float] = {}
        self._count = 0
        self.terms = Terms()

    def issue(self) -> str:
        self._count += 1
        token = self._seal.sign(f"token {self._count}")
        lifetime = self.terms.expires_in
        self._ends[token] = time.monotonic() + (float("inf") if lifetime is None else lifetime)
        return token

    def accepts(self, token: str) -> bool:
        return self._ends.get(token, 0) > time.monotonic()

    def revoke(self) -> None:
        """Accept none of the tokens that were given out so far."""
        self._ends.clear()
