"""Failovers: which deployments failed before, or while, another one answered."""

import msgspec


class Failover(msgspec.Struct, frozen=True, omit_defaults=True):
    """A deployment that failed, with the code of its error.

    `continued` is true if it failed after visible text, which the next deployment continued.
    """

    provider: str
    model: str
    code: str
    continued: bool = False
