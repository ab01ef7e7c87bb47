"""The fields of a response request that decide how it is answered."""

from typing import Final

from cartrita.dialects.openai_responses.request_parsing import Parsed
from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.json_fields import Fields, parsed, top_level_fields, without
from cartrita.surfaces.model_calls import CallFields
from cartrita.surfaces.vendor_handles import REFERENCE

OWN_IDS: Final = frozenset({"previous_response_id", "conversation", REFERENCE})
"""The fields with ids that are looked up among those of the caller, unless they are relayed."""
_ID_NEEDLES: Final = (b'"id"', b"\\u")
"""Without one of these in its bytes, no input refers to an item."""


class ResponseFields(CallFields, frozen=True, kw_only=True):
    """What the surface itself reads.

    `whole` is the request with all that it refers to, where that has been looked up.
    """

    background: bool = False
    whole: Parsed | None = None


def response_fields(body: bytes) -> ResponseFields:
    """The fields of a body. Raises Malformed, and InvalidInput in OpenAI's words."""
    fields = top_level_fields(body)
    return ResponseFields(
        body=_without_null(body, fields),
        model=_model(fields),
        stream=parsed(fields, "stream") is True,
        stored=parsed(fields, "store") is not False,
        refers=_may_refer(fields),
        background=parsed(fields, "background") is True,
    )


def _without_null(body: bytes, fields: Fields) -> bytes:
    """A body without a `conversation_id` of null, which is none here and unknown to OpenAI."""
    given = "conversation_id" in fields and parsed(fields, "conversation_id") is None
    return without(body, ("conversation_id",)) if given else body


def _may_refer(fields: Fields) -> bool:
    """Whether a request that is not stored may name something that is, so that it must be read."""
    if parsed(fields, "previous_response_id") is not None:
        return True
    content = bytes(fields.get("input", b""))
    return any(needle in content for needle in _ID_NEEDLES)


def _model(fields: Fields) -> str:
    model = parsed(fields, "model")
    if not isinstance(model, str) or not model:
        message = "Missing required parameter: 'model'."
        raise InvalidInput(message, fields={"model": [message]}, code="missing_required_parameter")
    return model
