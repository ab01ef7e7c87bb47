"""How much of a pool of connections is used."""

import msgspec


class PoolUse(msgspec.Struct, frozen=True, kw_only=True):
    """Connections that are in use, those that are open and idle, and the most there may be."""

    used: int
    idle: int
    most: int
