"""Principals: the authenticated callers, each with the owner of its data."""

import msgspec

LOCAL_OWNER = "local"
"""Owner id of the person who runs the server."""


class Principal(msgspec.Struct, frozen=True):
    """An authenticated caller. Everything it creates and can read belongs to `owner_id`."""

    owner_id: str
    key_id: str
