"""What clients are told of operations that OpenAPI has no words for, as `x-` members.

`x-client` is `none` for what has no method in the clients, `x-stream` says when the answer is a
stream of events, `x-page` what the items of pages are, `x-idempotent` whether the same request may
be sent again, and `x-provider` whose key it takes from a caller who has only those of providers.
"""

from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cartrita.surfaces.native.public_names import REF
from cartrita.surfaces.sse import MEDIA_TYPE
from cartrita.surfaces.v1_documents import PREFIX

Schema: TypeAlias = dict[str, Any]

_WITHOUT_METHOD: Final = frozenset({"get_asset", "get_page", "stream_chat_from_query"})
_CHAT: Final = MappingProxyType({"default": "openai", "field": "provider"})
_MODELS: Final = MappingProxyType({"default": "openai"})
_PROVIDERS: Final[dict[str, MappingProxyType[str, str]]] = {
    "post_chat": _CHAT,
    "stream_chat": _CHAT,
    "send_message": _CHAT,
    "edit_message": _MODELS,
    "replace_message": _MODELS,
    "retry_message": _MODELS,
    "continue_run": _MODELS,
    "execute_computer_task": MappingProxyType({"field": "provider"}),
    "post_code": _MODELS,
    "post_huggingface_chat": MappingProxyType({"default": "huggingface"}),
    "get_voice": MappingProxyType({"default": "deepgram"}),
    "post_chat_voice": MappingProxyType({"default": "deepgram"}),
    "process_voice": MappingProxyType({"default": "deepgram"}),
    "speak": MappingProxyType({"default": "deepgram"}),
    "transcribe": MappingProxyType({"default": "deepgram"}),
    "search": MappingProxyType({"default": "tavily", "field": "provider"}),
    "search_github": MappingProxyType({"default": "github"}),
}
_REPEATABLE: Final = frozenset(
    {
        "archive_conversation",
        "cancel_run",
        "check_provider",
        "control_desktop",
        "decide_on_approval",
        "issue_stream_ticket",
        "open_session",
        "pin_conversation",
        "revoke_any_key",
        "revoke_key",
        "search",
        "stop_desktop",
    }
)
"""Those that are sent by POST, and change nothing when they are sent again."""


def extend_operations(document: Schema) -> None:
    """Add the extensions to every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith(PREFIX) or operation["operationId"] in _WITHOUT_METHOD:
                operation["x-client"] = "none"
            else:
                operation |= _extensions(method, operation, document["components"]["schemas"])


def _extensions(method: str, operation: Schema, schemas: Schema) -> Schema:
    name = operation["operationId"]
    found: Schema = {"x-idempotent": _idempotency(method, operation)}
    if stream := _stream(operation):
        found["x-stream"] = stream
    if item := _page_item(operation, schemas):
        found["x-page"] = item
    if name in _PROVIDERS:
        found["x-provider"] = dict(_PROVIDERS[name])
    return {key: value for key, value in found.items() if value}


def _idempotency(method: str, operation: Schema) -> str | None:
    """By `key`, `always`, or not."""
    if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ())):
        return "key"
    repeatable = method in ("get", "put", "patch", "delete")
    return "always" if repeatable or operation["operationId"] in _REPEATABLE else None


def _stream(operation: Schema) -> str | None:
    """`always`, `on_request` by the field `stream` of the body, or never."""
    content = operation["responses"].get("200", {}).get("content", {})
    if MEDIA_TYPE not in content:
        return None
    return "always" if len(content) == 1 else "on_request"


def _page_item(operation: Schema, schemas: Schema) -> str | None:
    """The name of what the pages hold, for an operation that answers in pages."""
    if not any(one["name"] == "cursor" for one in operation.get("parameters", ())):
        return None
    content = operation["responses"]["200"]["content"]["application/json"]
    page = schemas[content["schema"]["$ref"].removeprefix(REF)]
    return page["properties"]["items"]["items"]["$ref"].removeprefix(REF)
