"""The ports of model providers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeGuard

from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.relays import RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.kit.secret import Secret


class ModelProvider(Protocol):
    """Answers model calls. Decorating providers (failover, caching, limits) hold another."""

    @property
    def name(self) -> str: ...

    async def models(self) -> list[ModelInfo]:
        """The models it offers. Raises UpstreamError if they cannot be listed."""
        ...

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        """Call a model. Leaving the context closes the upstream connection at once.

        The iterator begins with `Accepted` if there is something to tell, and ends after
        `Finished`; any other end, such as a broken or stalled connection, raises UpstreamError.
        """
        ...


class RelayResponse(Protocol):
    """A successful response of a provider, whose body is passed on as it comes.

    `headers` are those that callers may see, with lower-case names. `secrets` are the values that
    an error in the body must not show. `line_limit` is the longest line of a stream, in bytes.
    """

    status: int
    headers: Mapping[str, str]
    secrets: tuple[Secret, ...]
    line_limit: int

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end. Raises UpstreamError."""
        ...


class RelayProvider(ModelProvider, Protocol):
    """A provider that also answers requests in its own dialect, as bytes."""

    @property
    def dialects(self) -> frozenset[str]:
        """The dialects whose requests it can be sent as they are."""
        ...

    def relay(self, request: RelayRequest) -> AbstractAsyncContextManager[RelayResponse]:
        """Send a request as it is. Leaving the context closes the upstream connection at once.

        Raises UpstreamError for a response that is not successful.
        """
        ...


class KeyedProvider(RelayProvider, Protocol):
    """A provider that can be called with another key than the one that is configured for it."""

    def with_key(self, key: Secret) -> "KeyedProvider":
        """The same provider at the same address, called with this key only.

        Raises ValueError for a key that no header can carry.
        """
        ...


def takes_keys(provider: ModelProvider) -> TypeGuard[KeyedProvider]:
    """Whether the provider can be called with another key."""
    return hasattr(provider, "with_key")


def can_relay(provider: ModelProvider, dialect: str) -> TypeGuard[RelayProvider]:
    """Whether the provider can be sent requests of this dialect as they are."""
    return dialect in getattr(provider, "dialects", ())
