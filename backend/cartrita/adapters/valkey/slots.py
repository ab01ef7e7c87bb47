"""Slots of limits, counted in Valkey by its clock, for all processes: implements `SlotCounter`."""

from importlib.resources import files
from typing import Final

from cartrita.adapters.valkey.server import LuaScript, ValkeyServer
from cartrita.domain.errors import Unavailable
from cartrita.domain.limits import LimitKey
from cartrita.kit.secret import Secret

_PREFIX: Final = "cartrita:limits"
_DIGITS: Final = 32
_MICROSECONDS: Final = 1_000_000
_RESERVE: Final = LuaScript.of(
    files("cartrita.adapters.valkey").joinpath("reserve_slots.lua").read_text("utf-8")
)


class ValkeySlots:
    """One key for each credential and pace, which ends when nothing is reserved any more.

    So what was used up of a limit that was changed does not hold up calls under the new one.
    `installation` is hexadecimal digits that all replicas derive from their secret: installations
    that share a server share no credentials.
    """

    def __init__(self, server: ValkeyServer, installation: Secret) -> None:
        self._server = server
        self._prefix = f"{_PREFIX}:{installation.reveal()[:_DIGITS]}"

    async def reserve(
        self, key: LimitKey, *, count: int, interval: float, ahead: float = 0.0
    ) -> float:
        """See `SlotCounter`."""
        name = f"{self._prefix}:{key.provider}:{key.credential}:{interval:g}"
        arguments = (count, _microseconds(interval), _microseconds(ahead))
        reply = await self._server.run(_RESERVE, (name,), arguments)
        if not isinstance(reply, bytes):  # it failed lately, and is left alone
            raise Unavailable("Valkey is not asked right now; try again in a moment.")
        return float(reply) / _MICROSECONDS


def _microseconds(seconds: float) -> str:
    return f"{seconds * _MICROSECONDS:.3f}"
