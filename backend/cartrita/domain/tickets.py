"""Tickets: single-use credentials for signing in and for opening event streams."""

from datetime import datetime

import msgspec

from cartrita.domain.principals import Principal


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A single-use credential, stored under the hash of its secret.

    A sign-in code opens a login session. A stream ticket starts one run, made unique by
    `client_msg_id`, and is accepted from `origin` only.
    """

    kind: str
    principal: Principal
    expires_at: datetime
    origin: str | None = None
    client_msg_id: str | None = None
    used_at: datetime | None = None
