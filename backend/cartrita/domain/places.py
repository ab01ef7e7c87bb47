"""Where the parts of a request stand in the JSON that its caller sent."""

import msgspec

from cartrita.domain.messages import Part
from cartrita.domain.tools import Tool


class Place(msgspec.Struct, frozen=True):
    """The path of a part as its dialect writes it, and below it that of what the part holds."""

    path: str
    content: str


class Places(msgspec.Struct, dict=True):
    """The places of the parts and tools of one request, by which its refusals name them.

    Only parts that the dialect's parser made itself have one: those of a stored conversation have
    none. They are no part of what is asked, so that all are equal, and nothing in JSON.
    """

    def __post_init__(self) -> None:
        self._found: dict[int, tuple[Part | Tool, Place]] = {}

    def add(self, part: Part | Tool, path: str, content: str = "") -> None:
        """The part is at this path; what it holds is in the field `content` of it."""
        held = f"{path}.{content}" if content else path
        self._found[id(part)] = (part, Place(path, held))  # which keeps the part, and so its id

    def find(self, part: Part | Tool) -> Place | None:
        """The place of a part; None if it has none."""
        found = self._found.get(id(part))
        return None if found is None else found[1]
