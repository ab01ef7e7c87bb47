"""Kinds of keys that callers show, each of which is authenticated and looked up in its own way."""

from collections.abc import Collection
from typing import Final, Protocol

import msgspec

from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.principals import Principal


class Bringing(msgspec.Struct, frozen=True):
    """How a caller brings a provider's key: of which provider, if it says so, and from where.

    One that is `local` is on the machine of this server. `usual` is the provider that is called by
    what it asks for: whose a key is that has no shape of its own.
    """

    provider: str | None = None
    local: bool = False
    usual: str | None = None


UNTOLD: Final = Bringing()


class KeyKind(Protocol):
    """Keys of one kind."""

    def recognises(self, presented: str, bringing: Bringing = UNTOLD) -> bool:
        """Whether a key is known to be valid without asking anybody."""
        ...

    async def authenticate(self, presented: str, bringing: Bringing = UNTOLD) -> Principal:
        """The principal of a key. Raises the same Unauthenticated for every invalid key.

        Raises UpstreamError where a provider cannot be asked about its own.
        """
        ...

    async def active(self, owner_id: str, key_id: str) -> ActiveKey | None:
        """The key of this owner as it is now; None if it does not work any more."""
        ...

    def ended(self, principal: Principal, *, gone: Collection[str] = ()) -> bool:
        """Whether a principal's key works no more or allows less, as far as that is known.

        Of those that are `gone` nothing is known any more.
        """
        ...
