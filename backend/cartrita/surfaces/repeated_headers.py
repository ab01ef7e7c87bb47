"""Refuses requests that say two different things in one of the headers that are read here."""

from typing import Final

from starlette.types import Scope

from cartrita.domain.errors import Malformed

_READ_HERE: Final = {
    name.lower().encode(): name
    for name in (
        "Idempotency-Key",
        "Last-Event-ID",
        "X-Cartrita-Cache",
        "X-Cartrita-Provider",
        "X-Cartrita-Strict",
    )
}


def refuse_differing_headers(scope: Scope) -> None:
    """Raise Malformed if a header with one meaning was sent twice, with two values.

    Which of them was meant cannot be told: a proxy may have added either. Credentials are compared
    where they are read.
    """
    headers: list[tuple[bytes, bytes]] = scope["headers"]  # names are in lower case, as ASGI has it
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _READ_HERE and found.setdefault(name, value) != value:
            raise Malformed(f"{_READ_HERE[name]}: two different values were sent: send one.")
