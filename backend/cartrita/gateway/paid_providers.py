"""Providers that a caller's credential pays: called with its key, and cut when it is revoked."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Generic, TypeVar

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
        self._open: dict[str, set[CredentialUse]] = {}
        self._ended = Remembered[str](LONGEST_WAIT_S, most=10_000)

    @property
    def credential_ids(self) -> Collection[str]:
        """The credentials that pay for calls now."""
        return self._open.keys()

    def begin(self, credential_id: str) -> "CredentialUse":
        """The task that runs now makes a call that this credential pays.

        Raises CredentialEnded if it does not any more.
        """
        if credential_id in self._ended:
            raise CredentialEnded
        use = CredentialUse(self._open, credential_id)
        self._open.setdefault(credential_id, set()).add(use)
        return use

    def cut(self, credential_ids: Collection[str]) -> int:
        """Cut the calls that these pay, and let none begin; how many were cut."""
        for one in credential_ids:
            self._ended.add(one)
        found = [use for one in credential_ids for use in self._open.get(one, ())]
        for use in found:
            use.cut()
        return len(found)


class CredentialUse:
    """A call of the task that made this, which is cancelled once if the call is cut."""

    __slots__ = ("_cancelling", "_credential_id", "_cut", "_open", "_task")

    def __init__(self, calls: dict[str, set["CredentialUse"]], credential_id: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open = calls
        self._credential_id = credential_id
        self._task = task
        self._cancelling = task.cancelling()
        self._cut = False

    def cut(self) -> None:
        if not self._cut:
            self._cut = True
            self._task.cancel()

    def end(self, error: BaseException | None) -> None:
        """The call has ended. Raises CredentialEnded if it was cut, and by nobody else."""
        uses = self._open[self._credential_id]
        uses.remove(self)
        if not uses:
            del self._open[self._credential_id]
        if (
            self._cut
            and self._task.uncancel() <= self._cancelling
            and (error is None or isinstance(error, asyncio.CancelledError))
        ):
            raise CredentialEnded from error


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


class _PaidCall(Generic[T]):
    """The context of a call, whose errors tell whose credential was refused."""

    __slots__ = ("_call", "_credential", "_use", "_uses")

    def __init__(
        self,
        call: AbstractAsyncContextManager[T],
        credential: CallCredential,
        uses: CredentialUses,
    ) -> None:
        self._call = call
        self._credential = credential
        self._uses = uses

    async def __aenter__(self) -> T:
        self._use = self._uses.begin(self._credential.id)
        try:
            return await self._call.__aenter__()
        except BaseException as error:
            if isinstance(error, UpstreamError) and not self._credential.shared:
                tell_owner(error)
            self._use.end(error)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        try:
            swallowed = await self._call.__aexit__(kind, error, trace)
        except BaseException as raised:
            self._use.end(raised)
            raise
        self._use.end(None if swallowed else error)
        return swallowed


def tell_owner(error: UpstreamError) -> None:
    """Say that it is the caller's own credential that the provider does not take."""
    if isinstance(error, UpstreamAuth | UpstreamQuota):
        error.details["credential"] = OWN_CREDENTIAL
    if isinstance(error, UpstreamAuth) and not error.relayed:
        error.message = (
            f"{error.provider} refused the credential that you brought ({error.status}). Check "
            "whether it still works, and what it may do."
        )
