"""Authentication of keys that callers show: of this server, or a provider's that they bring."""

from collections.abc import Collection

from cartrita.application.keys.brought_keys import is_brought
from cartrita.application.keys.kinds import UNTOLD, Bringing, KeyKind
from cartrita.application.keys.own_keys import OwnKeys
from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.principals import Principal


class KeyAuthentication:
    """Finds the kind of a key, and has that authenticate it or look it up again.

    `brought` are the keys of providers that callers send instead of one of this server; without
    them there are none.
    """

    def __init__(self, own: OwnKeys, brought: KeyKind | None = None) -> None:
        self._own = own
        self._brought = brought

    def may_be_own(self, presented: str) -> bool:
        """Whether a text may be a key of this server."""
        return self._own.may_be_key(presented)

    def recognises(self, presented: str, bringing: Bringing | None = None) -> bool:
        """Whether a key is known to be valid without asking anybody."""
        return self._shown(bringing).recognises(presented, bringing or UNTOLD)

    async def authenticate(self, presented: str, bringing: Bringing | None = None) -> Principal:
        """The principal of a key; with `bringing` that of a provider's. Raises as KeyKind does."""
        return await self._shown(bringing).authenticate(presented, bringing or UNTOLD)

    async def active(self, owner_id: str, key_id: str) -> ActiveKey | None:
        """The key of this owner as it is now; None if it does not work any more.

        Everything that is stored with the ids of its owner and key is authorised by this.
        """
        kind = self._stored(key_id)
        return None if kind is None else await kind.active(owner_id, key_id)

    def any_unknown(self, key_ids: Collection[str]) -> bool:
        """Whether one of these keys must be read before anything can be said of it."""
        return self._own.any_unknown([one for one in key_ids if not is_brought(one)])

    def ended(self, principal: Principal, *, gone: Collection[str] = ()) -> bool:
        """See KeyKind."""
        kind = self._stored(principal.key_id)
        return kind is None or kind.ended(principal, gone=gone)

    def _shown(self, bringing: Bringing | None) -> KeyKind:
        return self._own if bringing is None or self._brought is None else self._brought

    def _stored(self, key_id: str) -> KeyKind | None:
        return self._brought if is_brought(key_id) else self._own
