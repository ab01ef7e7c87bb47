"""The names and ids that people give to tenants, users and keys, checked."""

import re
from typing import Final

from msgspec.structs import replace

from cartrita.domain.accounts import AccountChanges
from cartrita.domain.errors import InvalidInput
from cartrita.kit.text import storable_text

NAME_MAX: Final = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


def valid_name(field: str, value: str) -> str:
    """A name on one line. Raises InvalidInput."""
    name = " ".join(storable_text(value).split())
    if not 0 < len(name) <= NAME_MAX:
        raise InvalidInput.of(field, f"it needs 1 to {NAME_MAX} characters")
    if _CONTROL.search(name):  # a terminal that lists names would obey
        raise InvalidInput.of(field, "it may have no control characters")
    return name


def valid_id(text: str) -> str:
    """The id of a tenant or a user. Raises InvalidInput."""
    if _ID.fullmatch(text) is None:
        raise InvalidInput.of("id", "write 1 to 100 letters, digits and . _ @ -")
    return text


def valid_changes(changes: AccountChanges) -> AccountChanges:
    """Changes of a tenant or a user. Raises InvalidInput."""
    if changes.name is None:
        return changes
    return replace(changes, name=valid_name("name", changes.name))
