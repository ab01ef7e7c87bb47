"""API keys of this server: created, authenticated, revoked.

A key is `ck_<id>_<secret>_<checksum>`. The id finds its row, the checksum detects typing mistakes
without a query, and the stored digest is an HMAC of the whole key with the server's pepper.
"""

import hmac
import re
import time
import zlib
from collections.abc import Callable
from datetime import datetime
from secrets import token_hex

from cartrita.application.known_keys import KnownKeys
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from cartrita.domain.ports.access import ApiKeyStore
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.kit import clock
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

BOOTSTRAP_ID = "bootstrap"
LOOPBACK_ID = "loopback"
NAME_MAX = 100
_PREFIX = "ck_"
_KEY_PATTERN = re.compile(rf"{_PREFIX}([0-9a-f]{{16}})_([0-9a-f]{{48}})_([0-9a-f]{{8}})")
_DUMMY = bytes(32)


class ApiKeys:
    """Creates and authenticates API keys.

    `bootstrap` is a key from the configuration; it is never stored, and removing it revokes it.
    `keyless` adds a principal for local callers without a key. Keys are cached for `cache_s`
    seconds, so a key revoked by another process works here for up to that long; while the database
    is away, those that are known stay good for ten minutes.
    """

    def __init__(
        self,
        store: ApiKeyStore,
        pepper: Secret,
        bootstrap: Secret | None = None,
        *,
        keyless: bool = False,
        cache_s: float = 3.0,
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._peppered = hmac.new(pepper.reveal().encode(), digestmod="sha256")
        self._configured: dict[str, bytes] = {}
        if bootstrap:
            self._configured[BOOTSTRAP_ID] = self._digest(bootstrap.reveal())
        if keyless:
            self._configured[LOOPBACK_ID] = self._digest(LOOPBACK_ID)
        self._known = KnownKeys(store, cache_s=cache_s, monotonic=monotonic)
        self._now = now

    async def run(self) -> None:
        """Read known keys again beside the calls that show them, until cancelled."""
        await self._known.run()

    async def create(
        self, owner_id: str | None, name: str, expires_at: datetime | None = None
    ) -> tuple[ApiKey, Secret]:
        """A new key and its secret, which is not stored. None as owner creates a new owner."""
        now = self._now()
        if expires_at is not None and expires_at <= now:
            raise InvalidInput.of("expires_at", "choose a moment that is still to come")
        key_id = token_hex(8)
        secret = _with_checksum(f"{_PREFIX}{key_id}_{token_hex(24)}")
        key = ApiKey(
            id=key_id,
            owner_id=f"owner_{key_id}" if owner_id is None else _validated_name("owner", owner_id),
            name=_validated_name("name", name),
            created_at=now,
            expires_at=expires_at,
        )
        await self._store.add(StoredApiKey(key, self._digest(secret)))
        return key, Secret(secret)

    async def list(self, owner_id: str | None = None) -> list[ApiKey]:
        """The keys of an owner, or of all owners for None; revoked ones are included."""
        return await self._store.list(owner_id)

    async def revoke(self, key_id: str) -> None:
        """Revoke a key: here at once, in other processes within seconds. Idempotent.

        Raises NotFound, and Conflict for the bootstrap key.
        """
        if key_id == BOOTSTRAP_ID:
            raise Conflict("The bootstrap key is revoked by removing CARTRITA_BOOTSTRAP_KEY.")
        known = storable_text(key_id) == key_id and await self._store.revoke(key_id, self._now())
        self._known.forget(key_id)
        if not known:
            raise NotFound("There is no such key.", code="key_not_found")

    def may_be_key(self, presented: str) -> bool:
        """Whether a text is the bootstrap key, or begins as the keys of this server do."""
        return presented.startswith(_PREFIX) or self._is_bootstrap(self._digest(presented))

    async def authenticate(self, presented: str) -> Principal:
        """The principal of a key. Raises the same Unauthenticated for every invalid key."""
        digest = self._digest(presented)
        if self._is_bootstrap(digest):
            return Principal(LOCAL_OWNER, BOOTSTRAP_ID)
        key_id = _key_id(presented)
        stored = None if key_id is None else await self._known.find(key_id)
        expected = _DUMMY if stored is None else stored.digest
        if (
            not hmac.compare_digest(digest, expected)
            or stored is None
            or not self._is_active(stored)
        ):
            raise Unauthenticated(
                "This API key is not valid: check it, or make one with `cartrita keys create`."
            )
        return Principal(stored.key.owner_id, stored.key.id)

    async def active_digest(self, principal: Principal) -> bytes | None:
        """The digest of the principal's key, or None if that key is not active any more."""
        if principal.key_id in self._configured:
            return self._configured[principal.key_id] if principal.owner_id == LOCAL_OWNER else None
        stored = await self._known.find(principal.key_id)
        if stored is None or stored.key.owner_id != principal.owner_id:
            return None
        return stored.digest if self._is_active(stored) else None

    async def local_principal(self) -> Principal | None:
        """The server's operator with the first active key; None if there is no active key."""
        for key_id in self._configured:
            return Principal(LOCAL_OWNER, key_id)
        for key in await self._store.list(LOCAL_OWNER):
            principal = Principal(LOCAL_OWNER, key.id)
            if await self.active_digest(principal) is not None:
                return principal
        return None

    def _is_bootstrap(self, digest: bytes) -> bool:
        return hmac.compare_digest(digest, self._configured.get(BOOTSTRAP_ID, _DUMMY))

    def _is_active(self, stored: StoredApiKey) -> bool:
        key = stored.key
        expired = key.expires_at is not None and key.expires_at <= self._now()
        return key.revoked_at is None and not expired

    def _digest(self, key: str) -> bytes:
        mac = self._peppered.copy()  # half the cost of hashing the pepper again for each request
        mac.update(key.encode("utf-8", "surrogatepass"))
        return mac.digest()


def _with_checksum(body: str) -> str:
    return f"{body}_{zlib.crc32(body.encode()):08x}"


def _key_id(presented: str) -> str | None:
    """The id in a key; None if the text is not a key, or its checksum is wrong."""
    match = _KEY_PATTERN.fullmatch(presented)
    if match is None or _with_checksum(presented.rpartition("_")[0]) != presented:
        return None
    return match[1]


def _validated_name(field: str, value: str) -> str:
    name = " ".join(storable_text(value).split())
    if not 0 < len(name) <= NAME_MAX:
        raise InvalidInput.of(field, f"it needs 1 to {NAME_MAX} characters")
    return name
