"""Keys of this server as callers show them: authenticated, and looked up again by their ids."""

import hmac
from collections.abc import Callable, Collection
from datetime import datetime

from cartrita.application.keys.kinds import UNTOLD, Bringing
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.secrets import PREFIX, KeySecrets, id_in, invalid_key
from cartrita.domain.api_keys import ActiveKey, KeyFilter
from cartrita.domain.ports.access import ApiKeyStore
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.kit import clock
from cartrita.kit.secret import Secret

BOOTSTRAP_ID = "bootstrap"
LOOPBACK_ID = "loopback"
_DUMMY = bytes(32)


class OwnKeys:
    """Keys of this server; implements KeyKind.

    `bootstrap` is a key from the configuration; it is never stored, and removing it revokes it.
    `keyless` adds a principal for local callers without a key. Both are of the local owner, who
    administers the server. All others are those of the store, as they are `known`.
    """

    def __init__(
        self,
        store: ApiKeyStore,
        known: KnownKeys,
        pepper: Secret,
        bootstrap: Secret | None = None,
        *,
        keyless: bool = False,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._store = store
        self._known = known
        self._secrets = KeySecrets(pepper)
        self._configured: dict[str, ActiveKey] = {}
        if bootstrap:
            self._configure(BOOTSTRAP_ID, bootstrap.reveal())
        if keyless:
            self._configure(LOOPBACK_ID, LOOPBACK_ID)
        self._bootstrap = self._configured.get(BOOTSTRAP_ID)
        self._now = now

    def may_be_key(self, presented: str) -> bool:
        """Whether a text is the bootstrap key, or begins as the keys of this server do."""
        return presented.startswith(PREFIX) or self._is_bootstrap(self._secrets.digest(presented))

    def recognises(self, presented: str, bringing: Bringing = UNTOLD) -> bool:
        """See KeyKind: without asking the store."""
        digest = self._secrets.digest(presented)
        if self._is_bootstrap(digest):
            return self._bootstrap is not None
        key_id = id_in(presented)
        stored = None if key_id is None else self._known.peek(key_id)
        if stored is None or not hmac.compare_digest(digest, stored.digest):
            return False
        return stored.active(self._now())

    async def authenticate(self, presented: str, bringing: Bringing = UNTOLD) -> Principal:
        """See KeyKind."""
        digest = self._secrets.digest(presented)
        if self._bootstrap is not None and self._is_bootstrap(digest):
            return self._bootstrap.principal
        key_id = id_in(presented)
        stored = None if key_id is None else await self._known.find(key_id)
        expected = _DUMMY if stored is None else stored.digest
        if (
            not hmac.compare_digest(digest, expected)
            or stored is None
            or not stored.active(self._now())
        ):
            raise invalid_key()
        return stored.principal

    async def active(self, owner_id: str, key_id: str) -> ActiveKey | None:
        """See KeyKind."""
        if key_id in self._configured:
            return self._configured[key_id] if owner_id == LOCAL_OWNER else None
        stored = await self._known.find(key_id)
        if stored is None or stored.key.owner_id != owner_id or not stored.active(self._now()):
            return None
        return ActiveKey(stored.principal, stored.digest)

    def any_unknown(self, key_ids: Collection[str]) -> bool:
        """Whether one of these keys must be read before anything can be said of it."""
        return any(one not in self._configured and self._known.peek(one) is None for one in key_ids)

    def ended(self, principal: Principal, *, gone: Collection[str] = ()) -> bool:
        """See KeyKind."""
        if principal.key_id in self._configured:
            return False
        stored = self._known.peek(principal.key_id)
        if stored is None:
            return principal.key_id in gone
        scopes = stored.key.scopes
        if scopes != principal.scopes and scopes.excess(principal.scopes) is not None:
            return True
        return not stored.active(self._now())

    async def local_principal(self) -> Principal | None:
        """The server's operator with the first active key; None if there is no active key."""
        for configured in self._configured.values():
            return configured.principal
        now = self._now()
        for stored in await self._store.page(KeyFilter(owner_id=LOCAL_OWNER)):
            if stored.active(now) and stored.principal.operator:
                return stored.principal
        return None

    def _configure(self, key_id: str, text: str) -> None:
        principal = Principal(LOCAL_OWNER, key_id, admin=True)
        self._configured[key_id] = ActiveKey(principal, self._secrets.digest(text))

    def _is_bootstrap(self, digest: bytes) -> bool:
        expected = _DUMMY if self._bootstrap is None else self._bootstrap.digest
        return hmac.compare_digest(digest, expected)
