"""The WebSockets of a server, as handshakes ask for them, those too that take no JSON frames."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.security.owners import Things
from tests.security.rules import Kind

_CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "frontend-contract/asyncapi.json").read_text()
)
_DESKTOP = "{desktop_id}"


class Door(msgspec.Struct, frozen=True):
    """A WebSocket by its address in asyncapi.json."""

    address: str

    @property
    def names_a_desktop(self) -> bool:
        """Whether there is one for each desktop."""
        return _DESKTOP in self.address

    @property
    def opened(self) -> int:
        """What a handshake is told that may open it.

        No desktop runs here, so of its own one is told that it has ended: who may not look at it
        is told something else before that.
        """
        return 409 if self.names_a_desktop else 101

    @property
    def anonymous(self) -> int:
        """What one is told that says nothing of who asks: a frame may still say it, or none may."""
        return 401 if self.names_a_desktop else 101

    def path(self, things: Things) -> str:
        """Where it is for whoever has these things."""
        return self.address.replace(_DESKTOP, things[Kind.DESKTOP][0])


DOORS = [Door(channel["address"]) for channel in _CONTRACT["channels"].values()]
each_door = pytest.mark.parametrize("door", DOORS, ids=[door.address for door in DOORS])
