"""The port of services beside model providers, whose keys callers may bring."""

from typing import Protocol, Self

from cartrita.kit.secret import Secret


class Service(Protocol):
    """A service that is called over the network; its name is a provider's in scopes and limits.

    `has_key` is whether it is called with one, and `needs_key` whether it must be.
    """

    @property
    def name(self) -> str: ...

    @property
    def has_key(self) -> bool: ...

    @property
    def needs_key(self) -> bool: ...

    def with_key(self, key: Secret) -> Self:
        """The same service at the same address, called with this key only."""
        ...

    async def test_key(self) -> None:
        """Ask whether its key is accepted. Raises UpstreamAuth if it is not, or UpstreamError."""
        ...
