"""The shapes of providers' keys: which texts may be one, and of which provider."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Final

from cartrita.application.keys.secrets import PREFIX
from cartrita.kit.secret import Secret

SHORTEST: Final = 8
LONGEST: Final = 4096
"""Bounds of a provider's key, in characters; some are signed tokens."""


def may_be_provider_key(text: str) -> bool:
    """Whether a text may be a provider's key: one of this server's own never leaves it."""
    return (
        SHORTEST <= len(text) <= LONGEST
        and text.isascii()
        and text.isprintable()
        and " " not in text
        and not text.startswith(PREFIX)
    )


class KeyShapes:
    """Tells providers by their keys.

    `prefixes` are what the keys of each provider begin with, the preferred provider first; one
    without any has keys of any shape, and has to be told.
    """

    def __init__(self, prefixes: Mapping[str, tuple[str, ...]]) -> None:
        self._prefixes = prefixes

    def provider_of(self, key: str, told: str | None, usual: str | None = None) -> str | None:
        """The provider that a key may be of; None if it is of none, or of another than is `told`.

        The longest prefix decides: a key is shown to no provider but that of its shape. One
        without any is of the `usual` one, where the keys of that have none.
        """
        if not may_be_provider_key(key):
            return None
        lengths = {name: _longest(key, own) for name, own in self._prefixes.items()}
        longest = max(lengths.values(), default=0)
        if told is not None:
            own = self._prefixes.get(told)
            fits = own is not None and (not own or 0 < longest == lengths[told])
            return told if fits else None
        if not longest:
            return usual if usual is not None and self._prefixes.get(usual) == () else None
        return next(name for name, length in lengths.items() if length == longest)

    def made_up(self, provider: str) -> Secret:
        """A key of this provider's shape that nobody has."""
        prefix = next(iter(self._prefixes[provider]), "")
        return Secret(f"{prefix}{token_hex(24)}")


def _longest(key: str, prefixes: tuple[str, ...]) -> int:
    return max((len(one) for one in prefixes if key.startswith(one)), default=0)
