"""The audit log: who changed which key, user or tenant."""

from datetime import datetime
from uuid import UUID

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.principals import LOCAL_OWNER, Principal

COMMAND_LINE_ID = "cli"
"""The key id in entries of what was changed by the command line, which shows no key."""


class Actor(msgspec.Struct, frozen=True):
    """Who changes something, and from which address."""

    principal: Principal
    address: str | None = None


COMMAND_LINE = Actor(Principal(LOCAL_OWNER, COMMAND_LINE_ID, admin=True))
"""Whoever can read the server's secret and reach its database."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change as it is logged, in the transaction that makes it.

    `action` is `noun.verb`, `object` the id of what is changed, and `tenant_id` the tenant whose
    admins see the entry.
    """

    actor: Actor
    action: str
    object: str
    tenant_id: str
    details: JsonObject = {}


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A logged change."""

    id: UUID
    at: datetime
    actor_key_id: str
    actor_owner_id: str
    tenant_id: str
    action: str
    object: str
    details: JsonObject
    address: str | None
