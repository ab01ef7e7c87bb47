"""The fields of requests that are ours and not OpenAI's."""

from cartrita.application.conversations.conversations import EXTERNAL_ID_MAX, is_addressable
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.surfaces.openai.errors import InvalidExtension


def own_boolean(body: RelayedBody, name: str) -> bool:
    """A switch of ours. Raises InvalidExtension."""
    value = body.parsed(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidExtension.of(name, "send true or false")
    return value is True


def conversation_id_in(body: RelayedBody) -> str | None:
    """The conversation that a caller names with `conversation_id`. Raises InvalidExtension."""
    value = body.parsed("conversation_id")
    if value is None or (isinstance(value, str) and is_addressable(value)):
        return value
    problem = (
        f"send the id of a conversation: a string of 1 to {EXTERNAL_ID_MAX} characters without /, "
        "? and #, and not of dots only"
    )
    raise InvalidExtension.of("conversation_id", problem)
