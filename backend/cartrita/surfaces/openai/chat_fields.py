"""The fields of a chat completion request that decide how it is answered."""

from typing import Final, cast

import msgspec

from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.json_fields import Fields, parsed, top_level_fields
from cartrita.surfaces.openai.errors import InvalidExtension

MAX_CHOICES: Final = 128
OWN_FIELDS: Final = ("conversation_id", "background")
"""The fields that OpenAI does not know, and refuses."""


class ChatFields(msgspec.Struct, frozen=True, kw_only=True):
    """What the surface itself reads; all other fields stay in `body`, as they came.

    `legacy` is true for a caller of the old form, who knows functions and no tools.
    """

    body: bytes
    model: str
    stream: bool = False
    include_usage: bool = False
    n: int = 1
    store: bool = False
    background: bool = False
    conversation_id: str | None = None
    legacy: bool = False

    @property
    def stored(self) -> bool:
        """Whether it asks for an answer that is kept."""
        return self.store or self.background or self.conversation_id is not None


def chat_fields(body: bytes) -> ChatFields:
    """The fields of a body. Raises Malformed, InvalidInput, and InvalidExtension for ours."""
    fields = top_level_fields(body)
    return ChatFields(
        body=body,
        model=_model(fields),
        stream=_boolean(fields, "stream"),
        include_usage=_include_usage(fields),
        n=_count(fields),
        store=_boolean(fields, "store"),
        background=_own_boolean(fields, "background"),
        conversation_id=_conversation_id(fields),
        legacy="functions" in fields and "tools" not in fields,
    )


def too_many_choices(count: int, most: int) -> InvalidInput:
    """The error of an `n` that is not from 1 to `most`."""
    message = f"Invalid 'n': expected a value from 1 to {most}, but got {count} instead."
    return InvalidInput(message, fields={"n": [message]}, code="integer_out_of_range")


def _include_usage(fields: Fields) -> bool:
    options = parsed(fields, "stream_options")
    if not isinstance(options, dict):
        return False
    return cast("dict[str, object]", options).get("include_usage") is True


def _model(fields: Fields) -> str:
    model = parsed(fields, "model")
    if not isinstance(model, str) or not model:
        message = "you must provide a model parameter"
        raise InvalidInput(message, fields={"model": [message]})
    return model


def _boolean(fields: Fields, name: str) -> bool:
    value = parsed(fields, name)
    if value is not None and not isinstance(value, bool):
        raise _wrong_type(name, "a boolean", value)
    return value is True


def _count(fields: Fields) -> int:
    count = parsed(fields, "n")
    if count is None:
        return 1
    if not isinstance(count, int) or isinstance(count, bool):
        raise _wrong_type("n", "an integer", count)
    if not 1 <= count <= MAX_CHOICES:
        raise too_many_choices(count, MAX_CHOICES)
    return count


def _own_boolean(fields: Fields, name: str) -> bool:
    value = parsed(fields, name)
    if value is not None and not isinstance(value, bool):
        raise InvalidExtension.of(name, "send true or false")
    return value is True


def _conversation_id(fields: Fields) -> str | None:
    value = parsed(fields, "conversation_id")
    if value is not None and (not isinstance(value, str) or not value):
        raise InvalidExtension.of("conversation_id", "send the id of a conversation as a string")
    return value


def _wrong_type(name: str, wanted: str, value: object) -> InvalidInput:
    names: dict[object, str] = {
        bool: "a boolean",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    got = names.get(type(value), "a number")
    message = f"Invalid type for '{name}': expected {wanted}, but got {got} instead."
    return InvalidInput(message, fields={name: [message]}, code="invalid_type")
