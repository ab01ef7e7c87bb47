"""The fields of a chat completion request that decide how it is answered."""

from typing import Final, cast

from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.json_fields import Fields, parsed, top_level_fields
from cartrita.surfaces.model_calls import CallFields
from cartrita.surfaces.openai.errors import InvalidExtension

MAX_CHOICES: Final = 128
OWN_FIELDS: Final = ("conversation_id", "background")
"""The fields that OpenAI does not know, and refuses."""


class ChatFields(CallFields, frozen=True, kw_only=True):
    """What the surface itself reads.

    `legacy` is true for a caller of the old form, who knows functions and no tools. Of the
    `choices` at most `most_translated` can be had where they are not relayed.
    """

    include_usage: bool = False
    conversation_id: str | None = None
    legacy: bool = False
    most_translated: int = MAX_CHOICES

    @property
    def hides_usage(self) -> bool:
        """Whether the chunk with the usage, which a provider is asked for, is not passed on."""
        return self.stream and not self.include_usage


def chat_fields(body: bytes, most_translated: int = MAX_CHOICES) -> ChatFields:
    """The fields of a body. Raises Malformed, InvalidInput, and InvalidExtension for ours."""
    fields = top_level_fields(body)
    stored = _boolean(fields, "store")
    background = _own_boolean(fields, "background")
    conversation_id = _conversation_id(fields)
    choices = _count(fields)
    return ChatFields(
        body=body,
        model=_model(fields),
        stream=_boolean(fields, "stream"),
        stored=stored or background or conversation_id is not None,
        choices=choices,
        relay_only=choices > most_translated,
        include_usage=_include_usage(fields),
        conversation_id=conversation_id,
        legacy="functions" in fields and "tools" not in fields,
        most_translated=most_translated,
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
