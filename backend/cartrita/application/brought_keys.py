"""Keys of providers that callers send instead of a key of this server, kept in memory only."""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from typing import Final
from weakref import WeakValueDictionary

import msgspec
import structlog

from cartrita.application.key_secrets import KeySecrets, invalid_key
from cartrita.application.provider_key_shapes import KeyShapes
from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.credentials import CallCredential, CredentialsByProvider, Payer
from cartrita.domain.errors import Forbidden, NotFound, Unauthenticated
from cartrita.domain.ports.credentials import CallCredentials, KeyValidator
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.domain.scopes import Operation, Scopes
from cartrita.kit.remembered import Remembered
from cartrita.kit.secret import Secret

log = structlog.get_logger()

BROUGHT: Final = "byok:"
"""The ids of brought keys, and of their owners, begin with this; no other id can."""
KEPT_S: Final = 3600.0
"""For so long a key is kept after its last use."""
_OPERATIONS: Final = (
    Operation.CHAT,
    Operation.EMBEDDINGS,
    Operation.SEARCH,
    Operation.CONVERSATIONS,
)
_LONGEST_REFUSAL_S: Final = 60.0
_CHECKS_AT_ONCE: Final = 16
"""So many keys are shown to one provider at once."""


class ProviderKeyGone(Forbidden):
    """The key of a provider that was to pay is not in the memory of this process any more."""

    default_code = "provider_key_gone"

    def __init__(self) -> None:
        super().__init__(
            "The provider's key that this was asked with is kept in memory only, and is gone: ask "
            "again with the key, or store it at POST /api/credentials."
        )


class _BroughtKey(msgspec.Struct):
    """A key that its provider has accepted; the operator's own has no `key`, for it is here."""

    principal: Principal
    digest: bytes
    provider: str
    key: Secret | None
    checked_at: float
    used_at: float


class BroughtKeys:
    """Authenticates keys of providers.

    Each is shown to its provider once in `ttl_s`, as `validator` does; `shapes` tell which that is.
    A provider that accepts whatever it is shown, as model servers without keys, proves nothing.
    Whoever brings one is an owner of its own, known by the HMAC of key and provider, and may use
    that provider only. `configured` are the keys of the server by provider: who has one of those on
    this machine is the local owner. At most `most` keys are kept, the latest used.
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
        self._validator = validator
        self._secrets = KeySecrets(pepper)
        self._ttl_s = ttl_s
        self._most = most
        self._monotonic = monotonic
        self._configured = {
            self._id(LOCAL_OWNER, provider, key.reveal().strip()): provider
            for provider, key in (configured or {}).items()
        }
        self._kept: OrderedDict[str, _BroughtKey] = OrderedDict()
        self._refused = Remembered[str](min(ttl_s, _LONGEST_REFUSAL_S), most=most, clock=monotonic)
        self._refusing = Remembered[str](ttl_s, clock=monotonic)
        self._checking = WeakValueDictionary[str, asyncio.Lock]()
        self._asking = defaultdict[str, asyncio.Semaphore](
            lambda: asyncio.Semaphore(_CHECKS_AT_ONCE)
        )

    async def authenticate(
        self, presented: str, told: str | None = None, *, local: bool = False
    ) -> Principal:
        """The principal of a provider's key; `told` is the provider that its caller names.

        Raises the same Unauthenticated for whatever is none, and UpstreamError where the provider
        cannot be asked.
        """
        key_id, provider = self._told_apart(presented, told, local=local)
        kept = self._use(key_id)
        if kept is None or not self._is_fresh(kept):
            kept = await self._checked(key_id, provider, presented)
        return kept.principal

    def recognises(self, presented: str, told: str | None = None, *, local: bool = False) -> bool:
        """Whether a key is known to be valid without asking its provider."""
        try:
            key_id, _ = self._told_apart(presented, told, local=local)
        except Unauthenticated:
            return False
        kept = self._kept.get(key_id)
        return key_id in self._configured or (kept is not None and self._is_fresh(kept))

    def active(self, owner_id: str, key_id: str) -> ActiveKey | None:
        """The key of this owner, if it is still in memory."""
        kept = self._use(key_id)
        if kept is None or kept.principal.owner_id != owner_id:
            return None
        return ActiveKey(kept.principal, kept.digest)

    def ended(self, key_id: str) -> bool:
        """Whether a key that was accepted works no more."""
        return self._find(key_id) is None

    def credentials(self, owner_id: str) -> CredentialsByProvider:
        """What pays for the calls of an owner who is known by a key. Raises ProviderKeyGone."""
        kept = self._use(owner_id)
        if kept is None or kept.key is None:
            raise ProviderKeyGone
        return {kept.provider: CallCredential(owner_id, kept.key)}

    def _told_apart(self, presented: str, told: str | None, *, local: bool) -> tuple[str, str]:
        """The id of a key and its provider. Raises Unauthenticated."""
        if local:
            for provider in self._configured.values():
                key_id = self._id(LOCAL_OWNER, provider, presented)
                if key_id in self._configured and told in (None, provider):
                    return key_id, provider
        provider = self._shapes.provider_of(presented, told)
        if provider is None:
            raise invalid_key()
        return self._id("", provider, presented), provider

    async def _checked(self, key_id: str, provider: str, presented: str) -> _BroughtKey:
        """The key, when its provider has accepted it. Equal ones are checked once."""
        lock = self._checking.setdefault(key_id, asyncio.Lock())
        async with lock, self._asking[provider]:
            kept = self._find(key_id)
            if kept is not None and self._is_fresh(kept):
                return kept
            if not await self._is_accepted(key_id, provider, presented):
                self._refused.add(key_id)
                self._kept.pop(key_id, None)
                raise invalid_key()
            return self._keep(key_id, provider, presented)

    async def _is_accepted(self, key_id: str, provider: str, presented: str) -> bool:
        if key_id in self._configured:
            return True
        if key_id in self._refused:
            return False
        try:
            accepted = await self._validator.accepts(provider, Secret(presented))
            return accepted and await self._refuses_others(provider)
        except NotFound:  # there is nothing to try it with
            return False

    async def _refuses_others(self, provider: str) -> bool:
        """Whether a provider looks at keys at all."""
        if provider in self._refusing:
            return True
        if await self._validator.accepts(provider, self._shapes.made_up(provider)):
            log.warning("provider_accepts_any_key", provider=provider)
            return False
        self._refusing.add(provider)
        return True

    def _keep(self, key_id: str, provider: str, presented: str) -> _BroughtKey:
        own = key_id in self._configured
        scopes = Scopes(providers=(provider,), operations=_OPERATIONS)
        owner_id, now = LOCAL_OWNER if own else key_id, self._monotonic()
        principal = Principal(owner_id, key_id, scopes=scopes)
        if not own:
            principal = msgspec.structs.replace(principal, tenant_id=key_id)
        key = None if own else Secret(presented)
        digest = self._secrets.digest(key_id)
        self._kept.pop(key_id, None)
        kept = self._kept[key_id] = _BroughtKey(principal, digest, provider, key, now, now)
        while len(self._kept) > self._most or self._is_idle(next(iter(self._kept.values()))):
            self._kept.popitem(last=False)
        return kept

    def _use(self, key_id: str) -> _BroughtKey | None:
        kept = self._find(key_id)
        if kept is not None:
            kept.used_at = self._monotonic()
            self._kept.move_to_end(key_id)
        return kept

    def _find(self, key_id: str) -> _BroughtKey | None:
        kept = self._kept.get(key_id)
        if kept is not None and self._is_idle(kept):
            del self._kept[key_id]
            return None
        return kept

    def _is_fresh(self, kept: _BroughtKey) -> bool:
        return kept.checked_at + self._ttl_s > self._monotonic()

    def _is_idle(self, kept: _BroughtKey) -> bool:
        return kept.used_at + KEPT_S <= self._monotonic()

    def _id(self, owner: str, provider: str, key: str) -> str:
        digest = self._secrets.digest("\n".join((owner, provider, key)))
        return f"{BROUGHT}{digest.hex()[:40]}"


class PayingCredentials:
    """Tells what pays for calls: implements CallCredentials.

    It is the key that an owner is known by, or else one of those that are `stored`.
    """

    def __init__(self, brought: BroughtKeys, stored: CallCredentials) -> None:
        self._brought = brought
        self._stored = stored

    async def of(self, payer: Payer) -> CredentialsByProvider:
        """See CallCredentials. Raises ProviderKeyGone."""
        if payer.owner_id.startswith(BROUGHT):
            return self._brought.credentials(payer.owner_id)
        return await self._stored.of(payer)
