"""Providers that a caller's credential pays: called with its key, and cut when it is revoked."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, TypeVar

from cartrita.domain.credentials import CallCredential
from cartrita.domain.deltas import Delta
from cartrita.domain.errors import (
    OWN_CREDENTIAL,
    Forbidden,
    UpstreamAuth,
    UpstreamError,
    UpstreamQuota,
)
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import KeyedProvider, RelayResponse
from cartrita.domain.relays import RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.kit.cuts import CuttableWork, OpenWork, Within
from cartrita.kit.remembered import Remembered

T = TypeVar("T")

LONGEST_WAIT_S: Final = 600.0
"""Longer than any call waits after it was told who pays."""


class CredentialEnded(Forbidden):
    """The credential that pays for an answer ended while it came."""

    default_code = "credential_ended"

    def __init__(self) -> None:
        super().__init__(
            "The credential that paid for this answer does not work any more: it was revoked, or "
            "its successor has replaced it."
        )


class CredentialUses:
    """Which open calls each credential pays, so that they can be cut.

    A call may have waited for long since it was told who pays, so that those of credentials that
    were cut are not begun either.
    """

    def __init__(self) -> None:
        self.open = OpenWork[CredentialUse]()
        self._ended = Remembered[str](LONGEST_WAIT_S, most=10_000)

    @property
    def credential_ids(self) -> Collection[str]:
        """The credentials that pay for calls now."""
        return self.open.ids

    def require_active(self, credential_id: str) -> None:
        """Raise CredentialEnded if this one pays for nothing any more."""
        if credential_id in self._ended:
            raise CredentialEnded

    def cut(self, credential_ids: Collection[str]) -> int:
        """Cut the calls that these pay, and let none begin; how many were cut."""
        for one in credential_ids:
            self._ended.add(one)
        found = [use for one in credential_ids for use in self.open.of(one)]
        for use in found:
            use.cut()
        return len(found)


class CredentialUse(CuttableWork):
    """A context in which a call is made that a credential pays; CredentialEnded if that ends."""

    __slots__ = ("_credential_id", "_uses")

    def __init__(self, uses: CredentialUses, credential_id: str) -> None:
        super().__init__(CredentialEnded)
        self._uses = uses
        self._credential_id = credential_id

    def __enter__(self) -> None:
        self._uses.require_active(self._credential_id)
        super().__enter__()
        self._uses.open.add(self._credential_id, self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._uses.open.remove(self._credential_id, self)
        super().__exit__(kind, error, trace)


class PaidProvider:
    """A provider called with the key of a credential; implements `RelayProvider`."""

    def __init__(
        self, provider: KeyedProvider, credential: CallCredential, uses: CredentialUses
    ) -> None:
        self._provider = provider.with_key(credential.key)
        self._credential = credential
        self._uses = uses

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def dialects(self) -> frozenset[str]:
        """See `RelayProvider.dialects`."""
        return self._provider.dialects

    async def models(self) -> list[ModelInfo]:
        """See `ModelProvider.models`."""
        return await self._provider.models()

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        return _PaidCall(self._provider.stream(request), self._credential, self._uses)

    def relay(self, request: RelayRequest) -> AbstractAsyncContextManager[RelayResponse]:
        """See `RelayProvider.relay`."""
        return _PaidCall(self._provider.relay(request), self._credential, self._uses)


class _PaidCall(Within[T]):
    """The context of a call, whose errors tell whose credential was refused."""

    __slots__ = ("_credential",)

    def __init__(
        self,
        call: AbstractAsyncContextManager[T],
        credential: CallCredential,
        uses: CredentialUses,
    ) -> None:
        super().__init__(CredentialUse(uses, credential.id), call)
        self._credential = credential

    async def __aenter__(self) -> T:
        try:
            return await super().__aenter__()
        except UpstreamError as error:
            if not self._credential.shared:
                tell_owner(error)
            raise


def tell_owner(error: UpstreamError) -> None:
    """Say that it is the caller's own credential that the provider does not take."""
    if isinstance(error, UpstreamAuth | UpstreamQuota):
        error.details["credential"] = OWN_CREDENTIAL
    if isinstance(error, UpstreamAuth) and not error.relayed:
        error.message = (
            f"{error.provider} refused the credential that you brought ({error.status}). Check "
            "whether it still works, and what it may do."
        )
