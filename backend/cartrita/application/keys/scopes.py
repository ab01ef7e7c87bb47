"""Scopes as callers and the command line write them, checked."""

import re
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from cartrita.domain.errors import InvalidInput
from cartrita.domain.scopes import UNLIMITED, Names, Operation, Scopes
from cartrita.kit.text import storable_text

NAMES_MAX: Final = 100
NAME_MAX: Final = 200
_WORDS: Final = {
    "provider": "providers",
    "model": "models",
    "operation": "operations",
    "tool": "tools",
}
REQUESTS_MAX: Final = 1_000_000
TOKENS_MAX: Final = 1_000_000_000
_NUMBERS: Final = {"requests_per_minute": REQUESTS_MAX, "tokens_per_minute": TOKENS_MAX}
_NUMBER: Final = re.compile("[0-9]{1,10}")


def valid_scopes(scopes: Scopes) -> Scopes:
    """The scopes. Raises InvalidInput for names and numbers that cannot be, and operations."""
    for field in _WORDS.values():
        names: Names | None = getattr(scopes, field)
        for name in names or ():
            if not 0 < len(name) <= NAME_MAX or storable_text(name) != name or name != name.strip():
                raise InvalidInput.of(f"scopes.{field}", f"names have 1 to {NAME_MAX} characters")
        if len(names or ()) > NAMES_MAX:
            raise InvalidInput.of(f"scopes.{field}", f"at most {NAMES_MAX} names")
    for name in scopes.operations or ():
        if name not in {*Operation}:
            raise InvalidInput.of(
                "scopes.operations", f"there is no operation {name!r}; {', '.join(Operation)}"
            )
    _require_numbers(scopes)
    return scopes


def parse_scopes(words: Iterable[str]) -> Scopes | None:
    """The scopes in words as `provider=openai`, each of which may be repeated; None without any.

    `operation=` allows none; `requests_per_minute=60` is a number. Raises InvalidInput.
    """
    given: dict[str, list[str]] = {}
    numbers: dict[str, int] = {}
    for word in words:
        noun, equals, name = word.partition("=")
        if noun in _NUMBERS and _NUMBER.fullmatch(name):
            numbers[noun] = int(name)
        elif equals and noun in _WORDS:
            given.setdefault(_WORDS[noun], []).extend([name] if name else [])
        else:
            nouns = [f"{one}=NAME" for one in _WORDS] + [f"{one}=NUMBER" for one in _NUMBERS]
            raise InvalidInput.of("scope", f"write {', '.join(nouns)}")
    if not given and not numbers:
        return None
    names = {field: tuple(found) for field, found in given.items()}
    return valid_scopes(replace(UNLIMITED, **numbers, **names))


def _require_numbers(scopes: Scopes) -> None:
    for field, most in _NUMBERS.items():
        number: int | None = getattr(scopes, field)
        if number is not None and not 0 < number <= most:
            raise InvalidInput.of(f"scopes.{field}", f"a number from 1 to {most:,}")
