"""Tools that other servers run for agents: how they are listed, and what comes of a call."""

import msgspec

from cartrita.domain.json import JsonObject


class ServedTool(msgspec.Struct, frozen=True):
    """A tool as its server tells of it: `schema` is the JSON Schema of its arguments.

    Nothing of it is checked.
    """

    name: str
    description: str
    schema: JsonObject


class ServedLink(msgspec.Struct, frozen=True):
    """Something that a result refers to; `url` is an address of the web, or None."""

    title: str
    url: str | None = None


class ServedResult(msgspec.Struct, frozen=True):
    """What a tool of a server gave."""

    text: str
    links: tuple[ServedLink, ...] = ()
    success: bool = True
