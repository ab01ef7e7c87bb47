"""The log of changes, as those read it who administer what was changed."""

from uuid import UUID

from cartrita.domain.audit import AuditEntry
from cartrita.domain.ports.access import AuditStore
from cartrita.domain.principals import Principal
from cartrita.kit.pagination import Page


class AuditLog:
    """Who changed which key, user or tenant."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def page(self, by: Principal, before: UUID | None, limit: int) -> Page[AuditEntry]:
        """The changes that the caller administers, newest first; the cursor is an id.

        Raises Forbidden for callers who administer nothing.
        """
        by.require_admin()
        tenant_id = None if by.operator else by.tenant_id
        found = await self._store.page(tenant_id, before=before, limit=limit + 1)
        return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)
