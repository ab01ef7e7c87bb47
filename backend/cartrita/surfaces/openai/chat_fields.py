"""The fields of a chat completion request that decide how it is answered."""

from typing import Final, cast

from cartrita.dialects.openai_refusals import missing_model, out_of_bounds, wrong_type
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.openai.own_fields import conversation_id_in, own_boolean
from cartrita.surfaces.v1.model_calls import CallFields

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


def chat_fields(body: RelayedBody, most_translated: int = MAX_CHOICES) -> ChatFields:
    """The fields of a body. Raises InvalidInput, and InvalidExtension for ours."""
    stored = _boolean(body, "store")
    background = own_boolean(body, "background")
    conversation_id = conversation_id_in(body)
    choices = _count(body)
    return ChatFields(
        body=body,
        model=_model(body),
        stream=_boolean(body, "stream"),
        stored=stored or background or conversation_id is not None,
        choices=choices,
        relay_only=choices > most_translated,
        include_usage=_include_usage(body),
        conversation_id=conversation_id,
        legacy="functions" in body.spans and "tools" not in body.spans,
        most_translated=most_translated,
    )


def too_many_choices(count: int, most: int) -> InvalidInput:
    """The error of an `n` that is not from 1 to `most`."""
    where, bound, sign = ("below", "minimum", ">=") if count < 1 else ("above", "maximum", "<=")
    detail = f"integer {where} {bound} value. Expected a value {sign} {1 if count < 1 else most}"
    return out_of_bounds(
        "n", f"{detail}, but got {count} instead.", f"integer_{where}_{bound[:3]}_value"
    )


def _include_usage(body: RelayedBody) -> bool:
    options = body.parsed("stream_options")
    if not isinstance(options, dict):
        return False
    return cast("dict[str, object]", options).get("include_usage") is True


def _model(body: RelayedBody) -> str:
    model = body.parsed("model")
    if not isinstance(model, str) or not model:
        raise missing_model()
    return model


def _boolean(body: RelayedBody, name: str) -> bool:
    value = body.parsed(name)
    if value is not None and not isinstance(value, bool):
        raise wrong_type(name, "a boolean", value)
    return value is True


def _count(body: RelayedBody) -> int:
    count = body.parsed("n")
    if count is None:
        return 1
    if not isinstance(count, int) or isinstance(count, bool):
        raise wrong_type("n", "an integer", count)
    if not 1 <= count <= MAX_CHOICES:
        raise too_many_choices(count, MAX_CHOICES)
    return count
