"""The fields of a chat request that older frontends write in another form."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

Fields: TypeAlias = dict[str, Any]

_ID_NAMES: Final = ("id", "fileId", "file_id")


def native_chat_fields(fields: Mapping[str, Any]) -> Fields:
    """The same as the native API takes it.

    Their `context` is an object of the frontend's own, which is kept as metadata; their attachments
    are objects that hold an id.
    """
    found = dict(fields)
    context = found.get("context")
    if isinstance(context, dict) and context:
        found = with_metadata(found, context=found.pop("context"))
    attachments = found.get("attachments")
    if isinstance(attachments, list):
        found["attachments"] = [_file_id(each) for each in cast("list[object]", attachments)]
    return found


def with_metadata(fields: Fields, **values: object) -> Fields:
    """The fields with these values in their metadata; as they are if that is no object."""
    metadata: object = fields.get("metadata") or {}
    if not isinstance(metadata, dict):
        return fields
    return {**fields, "metadata": {**cast("Fields", metadata), **values}}


def _file_id(attachment: object) -> object:
    if not isinstance(attachment, dict):
        return attachment
    fields = cast("Fields", attachment)
    return next((fields[name] for name in _ID_NAMES if name in fields), fields)
