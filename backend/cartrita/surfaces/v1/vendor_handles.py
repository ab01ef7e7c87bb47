"""Refuses ids of what a vendor stores for its account, because callers share the account's key.

A file, container, prompt or response that one caller made at the vendor must not be within reach of
another. Only ids that this server maps to their owner are accepted: runs map some, relays none.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.domain.files import is_file_id

_IDS: Final = frozenset(
    {"file_id", "file_ids", "container_id", "vector_store_id", "vector_store_ids", "batch_id"}
)
_IDS_BY_TYPE: Final = {"code_interpreter": "container"}
"""By the type of an object: a field of it that holds an id."""
REFERENCE: Final = "item_reference"
OWN_FILES: Final = "file_id"
_NAME_FILES: Final = frozenset({"input_file", "input_image", "file"})
"""The types of objects that name a file to be read; the file in a chat's part has no type."""
CITATIONS: Final = frozenset({"file_citation", "page_location"})
"""The types of the citations of answers from files of ours, which come back in a history."""
_CONTENT_BY_TYPE: Final = {
    "image_generation_call": "result",
    "compaction": "encrypted_content",
}
"""By the type of an item: without this field of it, it stands for one that the vendor has."""
_OF_CALLERS: Final = frozenset({"parameters", "input_schema", "arguments", "metadata", "schema"})
_TOP_LEVEL: Final = frozenset(
    {"previous_response_id", "conversation", "container", "thread", "thread_id", "prompt"}
)
"""Fields of a request that are ids, or objects with one."""
_NUMBER: Final = re.compile(r"\[(\d+)\]")
_MARKS: Final = ("audio", "skill_id", *_IDS, *_IDS_BY_TYPE)
_MARKED: Final = re.compile(f'"(?:{"|".join(sorted(_MARKS))})"'.encode())
"""This is in an object that names an id, unless it spells the name with `\\u00`.

One search costs less than one for each name: 0.3 ms in a body of 1 MB.
"""


def refuse_vendor_ids(
    body: RelayedBody, *, ours: frozenset[str] = frozenset(), dotted: bool = False
) -> None:
    """Raise InvalidInput, naming the field, if a request holds an id of something stored.

    The fields of the request that are named in `ours` hold ids that this server gave out; with
    `REFERENCE` among them, so do the references to items, but for those of a type of OpenAI's own;
    with `OWN_FILES`, so do the parts of content that name a file, and citations.
    Paths have their numbers in brackets, or where `dotted` after dots, as Anthropic writes them.
    """
    if not may_hold_vendor_ids(body):
        return
    fields: Mapping[str, object] = body.parsed_whole()
    named = (name for name in _TOP_LEVEL - ours if _holds_id(fields.get(name)))
    referred = _references(fields.get("input"), ours)
    for path in (*named, *referred, *_ids(fields, "", own_files=OWN_FILES in ours)):
        raise InvalidInput.of(
            _NUMBER.sub(r".\1", path) if dotted else path,
            "ids of what the vendor stores are not accepted here; send the content itself",
        )


def may_hold_vendor_ids(body: RelayedBody) -> bool:
    """Whether an id may be in the body; without reading it, in a millisecond for 3 MB."""
    octets = body.octets
    return (
        not _TOP_LEVEL.isdisjoint(body.spans)
        or _MARKED.search(octets) is not None
        or (b"\\" in octets and b"\\u00" in octets)
        or ("input" in body.spans and b'"id"' in octets)
    )


def _holds_id(value: object) -> bool:
    """Whether a field of `_TOP_LEVEL` may hold one, also where the vendor may take no such type."""
    if isinstance(value, dict):
        return bool(cast("dict[str, object]", value).get("id"))
    return value is not None and value != ""


def _references(items: object, ours: frozenset[str]) -> Iterator[str]:
    """The paths of the items of a response's input that stand for stored ones: all but an id."""
    for index, item in enumerate(cast("list[object]", items) if isinstance(items, list) else ()):
        if not isinstance(item, dict):
            continue
        fields = cast("dict[str, object]", item)
        kind = str(fields.get("type") or REFERENCE)
        if kind == REFERENCE:
            stands = REFERENCE not in ours and "role" not in fields
        else:
            stands = kind in _CONTENT_BY_TYPE and not fields.get(_CONTENT_BY_TYPE[kind])
        if stands:
            yield f"input[{index}].id"


def _ids(value: object, path: str, *, own_files: bool) -> Iterator[str]:
    """The paths of all ids in a value; those of files of ours are none with `own_files`."""
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _ids(item, f"{path}[{index}]", own_files=own_files)
    if not isinstance(value, dict):
        return
    fields = cast("dict[str, object]", value)
    for name, inside in fields.items():
        here = f"{path}.{name}" if path else name
        if own_files and _is_own_file(name, fields):
            continue
        if _is_id(name, fields):
            yield here
        elif not _is_of_caller(name, fields, path):
            yield from _ids(inside, here, own_files=own_files)


def _is_id(name: str, fields: Mapping[str, object]) -> bool:
    """Whether a field of an object is an id, or a list of them, or an earlier spoken answer."""
    inside = fields[name]
    if name == "audio":
        return fields.get("role") == "assistant" and inside is not None
    kind = str(fields.get("type"))
    named = name in _IDS or name == _IDS_BY_TYPE.get(kind)
    named = named or (name == "skill_id" and kind != "anthropic")
    return named and isinstance(inside, str | list) and inside not in ("", [])


def _is_own_file(name: str, fields: Mapping[str, object]) -> bool:
    """Whether a field of an object names a file that may be stored here, to be read or as cited."""
    named = fields[name]
    if name != OWN_FILES or not isinstance(named, str) or not is_file_id(named):
        return False
    return fields.get("type") in (None, *_NAME_FILES, *CITATIONS)


def _is_of_caller(name: str, fields: Mapping[str, object], path: str) -> bool:
    """Whether the content of a field, of the object at `path`, is the caller's, whatever is in it.

    The input of a call is; that of the request is not, whatever its type claims.
    """
    if name == "input":
        return path != "" and fields.get("type") in ("tool_use", "server_tool_use")
    return name in _OF_CALLERS
