"""Puts the caller's own files into requests that name them, as their vendor's API has content.

Citations of such files, in earlier answers that the request brings, are left out: no vendor knows
what they name, and the text has their marks. So a request is relayed or translated as if its caller
had sent the content itself. Requests that are answered by a run keep the ids, because what a run is
asked is stored.
"""

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Final, TypeAlias, cast

import msgspec

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.file_places import cited_place
from cartrita.domain.files import is_file_id
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Attachment, Citation, Text
from cartrita.domain.principals import Principal
from cartrita.kit.long_work import run_long
from cartrita.surfaces.services import Services
from cartrita.surfaces.v1.vendor_handles import CITATIONS

_MARK: Final = re.compile(rb'(?:"|/api/files/)file_[0-9a-fA-F]{32}["/]')
_MESSAGES: Final = ("messages", "input")
_FIELDS: Final = ("messages", "input", "system", "instructions")
_CITED: Final = ("citations", "annotations")
"""The fields of a part of an earlier answer that hold what it cites."""

Loaded: TypeAlias = Text | Attachment
"""What a file holds: its text, or its image by a `data:` URL."""


class FileFields(msgspec.Struct, frozen=True):
    """How one API names files and holds content.

    `id_of` is the id in a part that names a file, or None; `write` makes the part that holds what
    the file does, from the part that names it.
    """

    id_of: Callable[[JsonObject], JsonValue]
    write: Callable[[JsonObject, Loaded], JsonObject]


def may_name_files(body: RelayedBody) -> bool:
    """Whether a file of ours may be named; without reading the body."""
    return b"file_" in body.octets and _MARK.search(body.octets) is not None


async def with_own_files(
    parts: FileFields, services: Services, principal: Principal, body: RelayedBody
) -> RelayedBody:
    """The body with what its files hold. Raises NotFound for one that the caller does not have."""
    size = len(body.octets)
    fields = await run_long(size, body.parsed_whole)
    uncited = _without_own_citations(fields)
    places = [place for name in _FIELDS for place in _places(parts, fields.get(name))]
    if not places and not uncited:
        return body
    loaded = await services.file_context.loaded(
        principal.owner_id,
        [str(parts.id_of(holder[index])) for holder, index in places],
        _question(fields),
    )
    for (holder, index), held in zip(places, loaded, strict=True):
        holder[index] = parts.write(holder[index], held)
    return await run_long(size, RelayedBody.of, msgspec.json.encode(fields))


def _without_own_citations(fields: JsonObject) -> bool:
    """Leave out citations of files of ours, in place; whether there were any."""
    messages = (item for name in _MESSAGES for item in _items(fields.get(name)))
    holders = (
        holder
        for message in messages
        if isinstance(message, dict)
        for holder in (message, *_items(message.get("content")))
        if isinstance(holder, dict)
    )
    found = False
    for holder, name in product(holders, _CITED):
        cited = _items(holder.get(name))
        kept = [each for each in cited if not _is_own_citation(each)]
        if len(kept) < len(cited):
            holder[name] = kept
            found = True
    return found


def _is_own_citation(value: JsonValue) -> bool:
    if not isinstance(value, dict):
        return False
    if value.get("type") in CITATIONS:
        named = value.get("file_id")
        return isinstance(named, str) and is_file_id(named)
    link = value.get("url_citation")
    address = link.get("url") if isinstance(link, dict) else None
    return isinstance(address, str) and cited_place(Citation("", address)) is not None


def _places(parts: FileFields, value: JsonValue) -> Iterator[tuple[list[JsonObject], int]]:
    """Each list that holds a part which names a file of ours, and where in it."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                continue
            named = parts.id_of(item)
            if isinstance(named, str) and is_file_id(named):
                yield cast("list[JsonObject]", value), index
            else:
                yield from _places(parts, item.get("content"))


def _question(fields: JsonObject) -> str:
    """What the user said last, in whichever of the APIs' shapes; empty if nothing."""
    said = (
        "\n".join(_texts(message.get("content"))).strip()
        for name in _MESSAGES
        for message in reversed(_items(fields.get(name)))
        if isinstance(message, dict) and message.get("role") == "user"
    )
    return next(filter(None, said), "")


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _texts(content: JsonValue) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in _items(content):
        if isinstance(part, dict) and isinstance(text := part.get("text"), str):
            yield text
