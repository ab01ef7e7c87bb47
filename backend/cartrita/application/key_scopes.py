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
_PER_MINUTE: Final = "requests_per_minute"
_NUMBER: Final = re.compile("[1-9][0-9]{0,6}")


def valid_scopes(scopes: Scopes) -> Scopes:
    """The scopes. Raises InvalidInput for names that cannot be, and operations that are not."""
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
    return scopes


def parse_scopes(words: Iterable[str]) -> Scopes | None:
    """The scopes in words as `provider=openai`, each of which may be repeated; None without any.

    `operation=` allows none; `requests_per_minute=60` is a number. Raises InvalidInput.
    """
    given: dict[str, list[str]] = {}
    per_minute: int | None = None
    for word in words:
        noun, equals, name = word.partition("=")
        if noun == _PER_MINUTE and _NUMBER.fullmatch(name):
            per_minute = int(name)
        elif equals and noun in _WORDS:
            given.setdefault(_WORDS[noun], []).extend([name] if name else [])
        else:
            nouns = ", ".join(f"{one}=NAME" for one in _WORDS)
            raise InvalidInput.of("scope", f"write {nouns}, {_PER_MINUTE}=NUMBER")
    if not given and per_minute is None:
        return None
    names = {field: tuple(found) for field, found in given.items()}
    return valid_scopes(replace(UNLIMITED, requests_per_minute=per_minute, **names))
