"""Tenants, and the users whose data a server keeps."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from cartrita.domain.json import JsonObject


class UserRole(StrEnum):
    """What a user is in a tenant; admins of the tenant `local` administer the server."""

    ADMIN = "admin"
    MEMBER = "member"


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation; while it is disabled, no key of its users works."""

    id: str
    name: str
    created_at: datetime
    disabled_at: datetime | None = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or program; its id is the `owner_id` of its data."""

    id: str
    tenant_id: str
    name: str
    role: UserRole = UserRole.MEMBER
    created_at: datetime
    disabled_at: datetime | None = None


class AccountChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What changes in a tenant or a user; None leaves it as it is. Only users have a role."""

    name: str | None = None
    disabled: bool | None = None
    role: UserRole | None = None

    @property
    def details(self) -> JsonObject:
        """What changes, as the log of changes tells it."""
        told = {"name": self.name, "disabled": self.disabled, "role": self.role}
        return {field: value for field, value in told.items() if value is not None}


NO_CHANGES: Final = AccountChanges()
