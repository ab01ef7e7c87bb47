"""The fields of a message request that decide how it is answered."""

from typing import Final

from cartrita.dialects.anthropic_messages import relay
from cartrita.dialects.anthropic_messages.error_rendering import THREAD_UNSUPPORTED
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.v1.model_calls import CallFields

_SWITCHES: Final = ("store", "background")
OWN_FIELDS: Final = ("conversation_id", *_SWITCHES)
"""The fields that Anthropic does not know, and refuses."""


class MessageFields(CallFields, frozen=True, kw_only=True):
    """What the surface itself reads."""

    conversation_id: str | None = None


def message_fields(body: RelayedBody) -> MessageFields:
    """The fields of a body. Raises InvalidInput in Anthropic's words."""
    _refuse_thread(body)
    conversation_id = _string(body, "conversation_id")
    ours = [_boolean(body, name) for name in _SWITCHES]
    return MessageFields(
        body=body,
        model=_model(body),
        stream=_boolean(body, "stream"),
        stored=any(ours) or conversation_id is not None,
        relayable=relay.is_relayable(body),
        conversation_id=conversation_id,
    )


def _refuse_thread(body: RelayedBody) -> None:
    """Refuse a conversation that the vendor would hold: one account there serves all callers here.

    On this code Anthropic's clients send the whole conversation instead.
    """
    if body.parsed("thread") is not None:
        message = "thread: conversations are not held here; send all messages, without `thread`"
        raise InvalidInput(message, fields={"thread": [message]}, code=THREAD_UNSUPPORTED)


def _model(body: RelayedBody) -> str:
    model = _string(body, "model")
    if model is None:
        raise InvalidInput.of("model", "Field required")
    return model


def _string(body: RelayedBody, name: str) -> str | None:
    value = body.parsed(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput.of(name, "Input should be a valid string")
    if value == "":
        raise InvalidInput.of(name, "String should have at least 1 character")
    return value


def _boolean(body: RelayedBody, name: str) -> bool:
    value = body.parsed(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput.of(name, "Input should be a valid boolean")
    return value is True
