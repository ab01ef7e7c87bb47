"""Heads of stored responses: what a run remembers of the request that it answers."""

from collections.abc import Mapping
from typing import Final, cast

from cartrita.dialects.openai_responses.request_parsing import Parsed
from cartrita.dialects.openai_responses.response_objects import ResponseHead
from cartrita.domain.errors import NotFound
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.runs import Run
from cartrita.kit import ids

SURFACE: Final = "openai_responses"
_PREFIX: Final = "resp"


def response_id(run_id: RunId) -> str:
    """The id of the response of a run."""
    return ids.public(_PREFIX, run_id)


def run_of(response: str) -> str:
    """The public id of the run of a response. Raises NotFound."""
    found = ids.parse(_PREFIX, response)
    if found is None:
        raise response_not_found(response)
    return ids.public("run", found)


def response_not_found(response: str) -> NotFound:
    """The error for a response that is not there."""
    return NotFound(f"Response with id '{response[:100]}' not found.")


def remembered(parsed: Parsed) -> JsonObject:
    """What a run keeps of a request for its head."""
    return {
        "model": parsed.request.model,
        "background": parsed.background,
        "previous_response_id": parsed.previous_response_id,
        "conversation_id": parsed.conversation_id,
        "include": list(parsed.include),
        "echo": parsed.echo,
    }


def head_of(run: Run) -> ResponseHead:
    """The head of the response of a run; if a newer version wrote its input, what is known."""
    kept: Mapping[str, object] = {} if run.input is None else run.input.echo
    return ResponseHead(
        id=response_id(run.id),
        created_at=int(run.created_at.timestamp()),
        model=str(kept.get("model") or run.model),
        background=kept.get("background") is True,
        previous_response_id=cast("str | None", kept.get("previous_response_id")),
        conversation_id=cast("str | None", kept.get("conversation_id"))
        or run.public_conversation_id,
        metadata={} if run.input is None else run.input.metadata,
        include=tuple(cast("list[str]", kept.get("include") or ())),
        echo=cast("JsonObject", kept.get("echo") or {}),
    )
