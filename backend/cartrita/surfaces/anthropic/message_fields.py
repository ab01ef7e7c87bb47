"""The fields of a message request that decide how it is answered."""

from typing import Final

from cartrita.dialects.anthropic_messages import relay
from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.json_fields import Fields, parsed, top_level_fields
from cartrita.surfaces.model_calls import CallFields

_SWITCHES: Final = ("store", "background")
OWN_FIELDS: Final = ("conversation_id", *_SWITCHES)
"""The fields that Anthropic does not know, and refuses."""


class MessageFields(CallFields, frozen=True, kw_only=True):
    """What the surface itself reads."""

    conversation_id: str | None = None


def message_fields(body: bytes) -> MessageFields:
    """The fields of a body. Raises Malformed, and InvalidInput in Anthropic's words."""
    fields = top_level_fields(body)
    conversation_id = _string(fields, "conversation_id")
    ours = [_boolean(fields, name) for name in _SWITCHES]
    return MessageFields(
        body=body,
        model=_model(fields),
        stream=_boolean(fields, "stream"),
        stored=any(ours) or conversation_id is not None,
        relayable=relay.is_relayable(body),
        conversation_id=conversation_id,
    )


def _model(fields: Fields) -> str:
    model = _string(fields, "model")
    if model is None:
        raise InvalidInput.of("model", "Field required")
    return model


def _string(fields: Fields, name: str) -> str | None:
    value = parsed(fields, name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput.of(name, "Input should be a valid string")
    if value == "":
        raise InvalidInput.of(name, "String should have at least 1 character")
    return value


def _boolean(fields: Fields, name: str) -> bool:
    value = parsed(fields, name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput.of(name, "Input should be a valid boolean")
    return value is True
