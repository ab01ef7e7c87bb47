"""Keys of providers that callers send instead of a key of this server."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final
from weakref import WeakValueDictionary

from cartrita.application.keys.acceptance import KeyAcceptance
from cartrita.application.keys.accepted_keys import AcceptedKey, AcceptedKeys
from cartrita.application.keys.kinds import UNTOLD, Bringing
from cartrita.application.keys.provider_shapes import KeyShapes
from cartrita.application.keys.secrets import KeySecrets, invalid_key
from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.credentials import CallCredential, CredentialsByProvider, providers_with
from cartrita.domain.errors import Forbidden, Unauthenticated
from cartrita.domain.ports.credentials import KeyValidator
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.domain.scopes import Operation, Scopes
from cartrita.kit.secret import Secret

_BROUGHT: Final = "byok:"
"""Ids of brought keys, and of their owners, begin with this; no other id can."""
_OPERATIONS: Final = (
    Operation.CHAT,
    Operation.EMBEDDINGS,
    Operation.SEARCH,
    Operation.VOICE,
    Operation.CONVERSATIONS,
)


def is_brought(id_: str) -> bool:
    """Whether the id of a key or an owner is that of a brought key."""
    return id_.startswith(_BROUGHT)


class ProviderKeyGone(Forbidden):
    """The key of a provider that was to pay is not in the memory of this process any more."""

    default_code = "provider_key_gone"

    def __init__(self) -> None:
        super().__init__(
            "The provider's key that this was asked with is kept in memory only, and is gone: ask "
            "again with the key, or store it at POST /api/credentials."
        )


class BroughtKeys:
    """Keys of providers; implements KeyKind.

    Each is shown to its provider once in `ttl_s`, as `validator` does; `shapes` tell which that is.
    Whoever brings one is an owner of its own, known by the HMAC of key and provider, and may use
    that provider only, see `providers_with`. `configured` are the keys of the server by provider:
    who has one of those on this machine is the local owner. At most `most` keys are kept, the
    latest used.
    """

    def __init__(
        self,
        shapes: KeyShapes,
        validator: KeyValidator,
        pepper: Secret,
        *,
        configured: Mapping[str, Secret] | None = None,
        ttl_s: float = 900.0,
        most: int = 10_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shapes = shapes
        self._secrets = KeySecrets(pepper)
        self._configured = {
            self._id(LOCAL_OWNER, provider, key.reveal().strip()): provider
            for provider, key in (configured or {}).items()
        }
        self._acceptance = KeyAcceptance(
            shapes, validator, ttl_s=ttl_s, most=most, monotonic=monotonic
        )
        self._accepted = AcceptedKeys(ttl_s=ttl_s, most=most, monotonic=monotonic)
        self._checking = WeakValueDictionary[str, asyncio.Lock]()

    async def authenticate(self, presented: str, bringing: Bringing = UNTOLD) -> Principal:
        """See KeyKind."""
        key_id, provider = self._told_apart(presented, bringing)
        known = self._known(key_id) or await self._checked(key_id, provider, presented)
        return known.principal

    def recognises(self, presented: str, bringing: Bringing = UNTOLD) -> bool:
        """See KeyKind: without asking its provider."""
        try:
            key_id, _ = self._told_apart(presented, bringing)
        except Unauthenticated:
            return False
        return key_id in self._configured or self._accepted.is_fresh(key_id)

    async def active(self, owner_id: str, key_id: str) -> ActiveKey | None:
        """See KeyKind: while it is still in memory."""
        accepted = self._accepted.use(key_id)
        if accepted is None or accepted.principal.owner_id != owner_id:
            return None
        return ActiveKey(accepted.principal, accepted.digest)

    def ended(self, principal: Principal, *, gone: Collection[str] = ()) -> bool:
        """See KeyKind."""
        return not self._accepted.is_kept(principal.key_id)

    def credentials(self, owner_id: str) -> CredentialsByProvider:
        """What pays for the calls of an owner who is known by a key. Raises ProviderKeyGone."""
        accepted = self._accepted.use(owner_id)
        if accepted is None or accepted.key is None:
            raise ProviderKeyGone
        return {accepted.provider: CallCredential(owner_id, accepted.key)}

    def _told_apart(self, presented: str, bringing: Bringing) -> tuple[str, str]:
        """The id of a key and its provider. Raises Unauthenticated."""
        told = bringing.provider
        if bringing.local:
            for provider in self._configured.values():
                key_id = self._id(LOCAL_OWNER, provider, presented)
                if key_id in self._configured and told in (None, provider):
                    return key_id, provider
        provider = self._shapes.provider_of(presented, told, bringing.usual)
        if provider is None:
            raise invalid_key()
        return self._id("", provider, presented), provider

    def _known(self, key_id: str) -> AcceptedKey | None:
        """A key that need not be checked; it is used now."""
        accepted = self._accepted.use(key_id)
        return accepted if self._accepted.is_fresh(key_id) else None

    async def _checked(self, key_id: str, provider: str, presented: str) -> AcceptedKey:
        """The key, when its provider has accepted it. Equal ones are checked once."""
        lock = self._checking.setdefault(key_id, asyncio.Lock())
        async with lock:
            known = self._known(key_id)
            if known is not None:
                return known
            own, key = key_id in self._configured, Secret(presented)
            if not own and not await self._acceptance.accepts(provider, key_id, key):
                self._accepted.drop(key_id)
                raise invalid_key()
            accepted = self._made(key_id, provider, None if own else key)
            self._accepted.keep(key_id, accepted)
            return accepted

    def _made(self, key_id: str, provider: str, key: Secret | None) -> AcceptedKey:
        scopes = Scopes(providers=providers_with(provider), operations=_OPERATIONS)
        if key is None:
            principal = Principal(LOCAL_OWNER, key_id, scopes=scopes)
        else:
            principal = Principal(key_id, key_id, tenant_id=key_id, scopes=scopes)
        return AcceptedKey(principal, self._secrets.digest(key_id), provider, key)

    def _id(self, owner: str, provider: str, key: str) -> str:
        digest = self._secrets.digest("\n".join((owner, provider, key)))
        return f"{_BROUGHT}{digest.hex()[:40]}"
