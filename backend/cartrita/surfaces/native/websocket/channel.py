"""A socket as the contract describes it."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from cartrita.surfaces.native.websocket.client_frames import FrameModels
from cartrita.surfaces.native.websocket.closings import CODES


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """The frames of a socket under the names of the contract, and the codes it is closed with.

    `sending` and `receiving` are what its operations are called. Binary frames, close codes and the
    parameters in its path are told by a name and a sentence.
    """

    name: str
    sending: str
    receiving: str
    description: str
    path: str
    answers: tuple[type[msgspec.Struct], ...]
    frames: FrameModels = MappingProxyType({})
    parameters: Mapping[str, str] = MappingProxyType({})
    sent_binary: Mapping[str, str] = MappingProxyType({})
    received_binary: Mapping[str, str] = MappingProxyType({})
    closings: Mapping[int, str] = CODES
    tells_events: bool = True

    @property
    def sent(self) -> tuple[str, ...]:
        """The names of what clients send."""
        return tuple(model.__name__ for model in self.frames.values())

    @property
    def answered(self) -> tuple[str, ...]:
        """The names of what they are answered, events aside."""
        return tuple(struct.__name__ for struct in self.answers)

    @property
    def binary(self) -> dict[str, str]:
        """The binary frames of both directions."""
        return {**self.sent_binary, **self.received_binary}
