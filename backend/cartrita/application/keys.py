"""Keys of ours: made, shown once, recognised, revoked.

A key is `ck_<id>_<secret>_<check>`: the id finds it, the check tells a typing mistake without
asking the database, and what is stored is an HMAC of the whole under the server's pepper.
"""

import hmac
import re
import time
import zlib
from collections.abc import Callable
from datetime import datetime
from secrets import token_hex

import msgspec

from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from cartrita.domain.ports import KeyStore
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.kit import clock
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

BOOTSTRAP_ID = "bootstrap"
LOOPBACK_ID = "loopback"
NAME_MAX = 100
_FORM = re.compile(r"ck_([0-9a-f]{16})_([0-9a-f]{48})_([0-9a-f]{8})")
_DUMMY = bytes(32)


class _Remembered(msgspec.Struct, frozen=True):
    key: StoredApiKey
    until: float


class Keys:
    """The one place that knows whose a key is.

    `bootstrap` is a key from the configuration, which is never stored: removing it revokes it.
    `keyless` lets the person at this machine in without any. Keys are remembered for `memory_s`,
    which is how long a key revoked elsewhere may still work here.
    """

    def __init__(
        self,
        store: KeyStore,
        pepper: Secret,
        bootstrap: Secret | None = None,
        *,
        keyless: bool = False,
        memory_s: float = 3.0,
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._pepper = pepper.reveal().encode()
        self._configured: dict[str, bytes] = {}
        if bootstrap:
            self._configured[BOOTSTRAP_ID] = self._digest(bootstrap.reveal())
        if keyless:
            self._configured[LOOPBACK_ID] = self._digest(LOOPBACK_ID)
        self._memory_s = memory_s
        self._now = now
        self._monotonic = monotonic
        self._memory: dict[str, _Remembered] = {}

    async def create(
        self, owner_id: str | None, name: str, expires_at: datetime | None = None
    ) -> tuple[ApiKey, Secret]:
        """A key and its secret, which nobody can show again. None makes an owner of its own."""
        now = self._now()
        if expires_at is not None and expires_at <= now:
            raise InvalidInput.of("expires_at", "choose a moment that is still to come")
        identity = token_hex(8)
        secret = _signed(f"ck_{identity}_{token_hex(24)}")
        key = ApiKey(
            id=identity,
            owner_id=f"owner_{identity}" if owner_id is None else _named("owner", owner_id),
            name=_named("name", name),
            created_at=now,
            expires_at=expires_at,
        )
        await self._store.add(StoredApiKey(key, self._digest(secret)))
        return key, Secret(secret)

    async def list(self, owner_id: str | None = None) -> list[ApiKey]:
        """An owner's keys, revoked ones included; None lists everybody's."""
        return await self._store.list(owner_id)

    async def revoke(self, key_id: str) -> None:
        """It works here no more from now on, and elsewhere within seconds. Idempotent."""
        if key_id == BOOTSTRAP_ID:
            raise Conflict("The bootstrap key is revoked by removing CARTRITA_BOOTSTRAP_KEY.")
        known = storable_text(key_id) == key_id and await self._store.revoke(key_id, self._now())
        self._memory.pop(key_id, None)
        if not known:
            raise NotFound("There is no such key.", code="key_not_found")

    async def authenticate(self, shown: str) -> Principal:
        """Whose key this is. Raises Unauthenticated, alike for everything that is wrong."""
        digest = self._digest(shown)
        bootstrap = self._configured.get(BOOTSTRAP_ID, _DUMMY)
        if hmac.compare_digest(digest, bootstrap):
            return Principal(LOCAL_OWNER, BOOTSTRAP_ID)
        identity = _identity(shown)
        stored = None if identity is None else await self._stored(identity)
        known = _DUMMY if stored is None else stored.digest
        if not hmac.compare_digest(digest, known) or stored is None or not self._stands(stored):
            raise Unauthenticated(
                "This API key is not valid: check it, or make one with `cartrita keys create`."
            )
        return Principal(stored.key.owner_id, stored.key.id)

    async def standing(self, principal: Principal) -> bytes | None:
        """What ties a session to its key while that works; None when it works no more."""
        if principal.key_id in self._configured:
            return self._configured[principal.key_id] if principal.owner_id == LOCAL_OWNER else None
        stored = await self._stored(principal.key_id)
        if stored is None or stored.key.owner_id != principal.owner_id:
            return None
        return stored.digest if self._stands(stored) else None

    async def local(self) -> Principal | None:
        """The person who runs the server, by the first key that works; None where there is none."""
        for identity in self._configured:
            return Principal(LOCAL_OWNER, identity)
        for key in await self._store.list(LOCAL_OWNER):
            principal = Principal(LOCAL_OWNER, key.id)
            if await self.standing(principal) is not None:
                return principal
        return None

    async def _stored(self, key_id: str) -> StoredApiKey | None:
        remembered = self._memory.get(key_id)
        if remembered is not None and self._monotonic() < remembered.until:
            return remembered.key
        stored = await self._store.get(key_id)
        if stored is not None:  # unknown ids are not remembered: there is no end to them
            self._memory[key_id] = _Remembered(stored, self._monotonic() + self._memory_s)
        return stored

    def _stands(self, stored: StoredApiKey) -> bool:
        key = stored.key
        expired = key.expires_at is not None and key.expires_at <= self._now()
        return key.revoked_at is None and not expired

    def _digest(self, whole: str) -> bytes:
        return hmac.digest(self._pepper, whole.encode("utf-8", "surrogatepass"), "sha256")


def _signed(body: str) -> str:
    return f"{body}_{zlib.crc32(body.encode()):08x}"


def _identity(shown: str) -> str | None:
    """The id in a key of ours; None for anything else, and where it was mistyped."""
    form = _FORM.fullmatch(shown)
    if form is None or _signed(shown.rpartition("_")[0]) != shown:
        return None
    return form[1]


def _named(field: str, value: str) -> str:
    name = " ".join(storable_text(value).split())
    if not 0 < len(name) <= NAME_MAX:
        raise InvalidInput.of(field, f"it needs 1 to {NAME_MAX} characters")
    return name
