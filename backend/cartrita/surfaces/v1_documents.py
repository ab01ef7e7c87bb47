"""Describes the endpoints below `/v1` in openapi.json: those of FastAPI and the hot paths.

Their bodies are the vendors' own, which change without us, so they are described as free objects
with their most important fields, and a pointer to the vendor's reference.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from cartrita.surfaces.hot_paths import HotPath, HotPathTable
from cartrita.surfaces.sse import MEDIA_TYPE

Schema: TypeAlias = dict[str, Any]

PREFIX = "/v1/"
_STATUSES = {
    400: "The request cannot be read, or the model's provider would refuse it.",
    401: "No credential, or an unknown one.",
    402: "The provider's account is out of credit, or in Anthropic's API a budget is used up.",
    403: "Pages of this origin are not allowed.",
    404: "Not found, or owned by somebody else.",
    408: "The body did not arrive in time.",
    409: "In conflict with the current state.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body, or a file in it, is not of a type that is accepted.",
    422: "A field that is ours and not the vendor's is invalid.",
    429: "Too many requests, or in OpenAI's API a used-up budget; Retry-After says when to retry.",
    500: "Internal error.",
    502: "The provider failed.",
    503: "A part of the server is unavailable; try again.",
    504: "The deadline was exceeded.",
    507: "The disk is full, or there is no room for more of your files.",
    529: "The provider is overloaded, in Anthropic's API.",
}
_ERROR: Schema = {
    "description": "An error in the envelope of the vendor whose API it is.",
    "type": "object",
    "required": ["error"],
    "properties": {
        "type": {"type": "string", "description": "`error`, in Anthropic's API."},
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"], "description": "In OpenAI's API."},
                "code": {"type": ["string", "null"], "description": "In OpenAI's API."},
            },
        },
        "request_id": {"type": ["string", "null"]},
    },
}
_STREAM: Schema = {"type": "string", "description": "The events of the vendor's own streams."}
_SECURITY: list[Schema] = [{"ApiKey": []}, {"Bearer": []}, {"Session": []}]


def complete_document(document: Schema, routes: Iterable[BaseRoute], table: HotPathTable) -> None:
    """Add the hot paths, and errors and security to all operations below `/v1`."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["VendorError"] = _ERROR
    for context in iter_route_contexts(list(routes)):
        path = context.path_format or ""
        if isinstance(context.original_route, APIRoute) and path.startswith(PREFIX):
            for operation in document["paths"].get(path, {}).values():
                _complete(operation)
    for hot in table.values():
        operation = _operation(hot)
        _complete(operation)
        document["paths"].setdefault(hot.path, {})[hot.method.lower()] = operation


def _complete(operation: Schema) -> None:
    operation["security"] = _SECURITY
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/VendorError"}}}
    for status, description in _STATUSES.items():
        operation["responses"][str(status)] = {"description": description, "content": error}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _operation(hot: HotPath) -> Schema:
    summary, _, _ = hot.description.partition("\n")
    content: Schema = {"application/json": {"schema": _object(hot.response)}}
    if hot.streams:
        content[MEDIA_TYPE] = {"schema": _STREAM}
    return {
        "operationId": hot.name,
        "summary": summary.rstrip("."),
        "description": hot.description,
        "tags": [hot.tag],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _request(hot)}},
        },
        "responses": {"200": {"description": "Successful Response", "content": content}},
    }


def _request(hot: HotPath) -> Schema:
    schema = _object(hot.request)
    if hot.fields:
        schema["properties"] = {name: dict(field) for name, field in hot.fields.items()}
        schema["required"] = list(hot.required)
    return schema


def _object(description: str) -> Schema:
    return {"type": "object", "additionalProperties": True, "description": description}
