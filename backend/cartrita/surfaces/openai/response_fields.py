"""The fields of a response request that decide how it is answered."""

from typing import Final

from cartrita.dialects.openai_refusals import missing
from cartrita.dialects.openai_responses import relay
from cartrita.dialects.openai_responses.request_parsing import Parsed
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.surfaces.openai.own_fields import conversation_id_in
from cartrita.surfaces.v1.model_calls import CallFields
from cartrita.surfaces.v1.vendor_handles import REFERENCE

OWN_IDS: Final = frozenset({"previous_response_id", "conversation", REFERENCE})
"""The fields with ids that are looked up among those of the caller, unless they are relayed."""
OWN_FIELDS: Final = ("conversation_id",)
"""The field that OpenAI does not know, and refuses."""
_ID_NEEDLES: Final = (b'"id"', b"\\u")
"""Without one of these in its bytes, no input refers to an item."""


class ResponseFields(CallFields, frozen=True, kw_only=True):
    """What the surface itself reads.

    A conversation that `conversation_id` names is made if it is not there. `whole` is the request
    with all that it refers to, where that has been looked up.
    """

    background: bool = False
    conversation_id: str | None = None
    whole: Parsed | None = None


def response_fields(body: RelayedBody) -> ResponseFields:
    """The fields of a body. Raises InvalidInput in OpenAI's words."""
    conversation_id = conversation_id_in(body)
    return ResponseFields(
        body=body,
        model=_model(body),
        stream=body.parsed("stream") is True,
        stored=body.parsed("store") is not False or conversation_id is not None,
        refers=_may_refer(body),
        relayable=relay.is_relayable(body),
        background=body.parsed("background") is True,
        conversation_id=conversation_id,
    )


def _may_refer(body: RelayedBody) -> bool:
    """Whether a request that is not stored may name something that is, so that it must be read."""
    if body.parsed("previous_response_id") is not None:
        return True
    content = body.value("input") or b""
    return any(needle in content for needle in _ID_NEEDLES)


def _model(body: RelayedBody) -> str:
    model = body.parsed("model")
    if not isinstance(model, str) or not model:
        raise missing("model")
    return model
