"""What OpenAI's own tools did for a response, as far as they are sold beside its tokens.

`tool_usage` counts the searches of the web that are billed, where a server tells it; everything
else, and those of other servers, is counted by the items of the output. Source:
https://developers.openai.com/api/docs/pricing
"""

from collections.abc import Sequence

from cartrita.dialects.openai_responses import response_types as wire
from cartrita.dialects.reported_counts import count_at
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.usage import Usage


def used(response: wire.Response) -> Usage:
    """How often each was used, without the tokens."""
    items = [item for item in response.output or () if isinstance(item, dict)]
    containers = {str(item.get("container_id")) for item in _of(items, "code_interpreter_call")}
    drawn = [one for one in _of(items, "image_generation_call") if one.get("result")]
    return Usage(
        web_searches=_searches(response, items),
        file_searches=len(_of(items, "file_search_call")),
        code_sessions=len(containers),
        images=len(drawn),
    )


def _searches(response: wire.Response, items: Sequence[JsonObject]) -> int:
    told = count_at(response.tool_usage, "web_search", "num_requests")
    return sum(map(_is_search, _of(items, "web_search_call"))) if told is None else told


def _is_search(item: JsonObject) -> bool:
    """Whether it searches: others open a page, or look for something in one."""
    action = item.get("action")
    kind: JsonValue = action.get("type") if isinstance(action, dict) else None
    return kind in (None, "search")


def _of(items: Sequence[JsonObject], kind: str) -> list[JsonObject]:
    return [item for item in items if item.get("type") == kind]
