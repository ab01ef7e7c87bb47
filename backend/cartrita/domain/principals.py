"""Principals: the authenticated callers, each with the owner of its data."""

import msgspec

from cartrita.domain.credentials import Payer
from cartrita.domain.errors import Forbidden
from cartrita.domain.scopes import UNLIMITED, Scopes

LOCAL_OWNER = "local"
"""Owner id of the person who runs the server."""
LOCAL_TENANT = "local"
"""The tenant of that person; its admins administer the server."""


class Principal(msgspec.Struct, frozen=True):
    """An authenticated caller. Everything it creates and can read belongs to `owner_id`.

    The owner is a user of the tenant, and `admin` if the key may administer that tenant. Only the
    ids of owner and key are stored with what a principal asks for; the rest is looked up again
    (`KeyAuthentication.active`), so that it counts at once when it changes. `caller_trace` is the
    `traceparent` of its own trace, which it is believed.
    """

    owner_id: str
    key_id: str
    tenant_id: str = LOCAL_TENANT
    scopes: Scopes = UNLIMITED
    admin: bool = False
    caller_trace: str | None = None

    @property
    def payer(self) -> Payer:
        """Whose credentials may pay for its calls."""
        return Payer(self.tenant_id, self.owner_id)

    @property
    def operator(self) -> bool:
        """Whether it administers the whole server."""
        return self.admin and self.tenant_id == LOCAL_TENANT

    def require_admin(self) -> None:
        """Raise Forbidden unless it administers a tenant."""
        if not self.admin:
            raise Forbidden(
                "This needs a key of an admin, whose scopes include the operation admin.",
                code="admin_required",
            )

    def require_operator(self) -> None:
        """Raise Forbidden unless it administers the whole server."""
        self.require_admin()
        if not self.operator:
            raise Forbidden(
                "This needs a key of an admin of the tenant `local`, who runs this server.",
                code="operator_required",
            )
