"""Completes the OpenAPI document with what FastAPI cannot derive from the routes.

Request bodies, chat requests as query parameters, event streams, security schemes and error
responses.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, cast

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from cartrita.surfaces.dependencies import current_caller
from cartrita.surfaces.native.chat import chat_request_from_query, event_source_caller
from cartrita.surfaces.native.chat_requests import JSON_FIELDS, ChatRequest
from cartrita.surfaces.native.contract_examples import (
    add_examples,
    add_parameter_examples,
    exemplified,
    frames_of,
)
from cartrita.surfaces.native.contract_texts import describe_parameters, describe_schemas
from cartrita.surfaces.native.error_kinds import error_kinds
from cartrita.surfaces.native.errors import ErrorBody, InvalidBody
from cartrita.surfaces.native.event_documents import event_documents
from cartrita.surfaces.native.extensions import extend_operations
from cartrita.surfaces.native.public_names import REF, with_public_names
from cartrita.surfaces.native.request_bodies import JsonBody, PublicJsonBody, RequestModel
from cartrita.surfaces.sse import MEDIA_TYPE, EventStream
from cartrita.surfaces.v1_documents import PREFIX

Schema: TypeAlias = dict[str, Any]

_SECURITY_SCHEMES: Schema = {
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of this server, or of a provider.",
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same."},
    "Session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "cartrita_session",
        "description": "From POST /api/session, for pages of an allowed origin.",
    },
    "StreamTicket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "From POST /api/stream-tickets, for an EventSource.",
    },
}
_SERVER_SENT_EVENT: Schema = {
    "description": "One event of a stream; `id` is what Last-Event-ID repeats.",
    "type": "object",
    "required": ["data"],
    "properties": {
        "id": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": REF + "ChatEvent"},
        },
    },
}
_ERROR_DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "No credential, or an unknown one.",
    402: "A budget is used up, or the account of the credential that you brought.",
    403: "The scopes of the key do not allow it, or pages of this origin may not.",
    404: "Not found, or owned by somebody else.",
    408: "The body did not arrive in time.",
    409: "In conflict with the current state, or the run was cancelled.",
    413: "The body is too large.",
    414: "The address is too long: POST instead.",
    415: "The body, or a file in it, is not of a type that is accepted.",
    422: "A value is invalid; `errors` names it.",
    429: "Too many requests; Retry-After says when to retry.",
    500: "Internal error.",
    502: "The provider failed.",
    503: "A part of the server is unavailable, or the run was interrupted; try again.",
    504: "The deadline was exceeded.",
    507: "The disk is full, or there is no room for more of your files.",
}
_FORM = "multipart/form-data"
_AUTHENTICATION_STATUSES = (400, 401, 403, 414, 422, 500, 503)
_BODY_STATUSES = (400, 408, 413, 415, 422)
_ANSWER_STATUSES = (402, 409, 429, 502, 504, 507)
_DECLARED = ("402", "404", "422", "429", "502")
"""Statuses that some routes declare themselves, or FastAPI for them."""
_REFERENCES = frozenset({"conversation_id", "model", "owner_id", "provider", "tenant_id"})
"""Fields and parameters that name what may not exist."""


def completed(document: Schema, routes: Iterable[BaseRoute]) -> Schema:
    """The document that FastAPI has generated for these routes, completed."""
    schemas: Schema = document.setdefault("components", {}).setdefault("schemas", {})
    document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    bodies: set[type[RequestModel]] = {ChatRequest}
    for context in iter_route_contexts(list(routes)):
        if isinstance(context.original_route, APIRoute) and _is_native(context):
            for operation in _operations(document, context):
                bodies |= _complete_operation(operation, context)
    schemas.update(_model_schemas([*bodies, ErrorBody, InvalidBody]))
    schemas |= {**event_documents(), "ServerSentEvent": _SERVER_SENT_EVENT}
    schemas["MessageView"]["properties"]["parts"]["items"] = {"$ref": REF + "MessagePart"}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    found = {**with_public_names(document), "x-error-kinds": error_kinds()}
    extend_operations(found)
    _explain(found)
    return found


def _explain(document: Schema) -> None:
    """Describe what says nothing, and give examples of all that is sent and answered."""
    schemas = document["components"]["schemas"]
    describe_schemas(schemas)
    describe_parameters(document)
    add_parameter_examples(document)
    add_examples(schemas, exemplified(document) | frames_of(schemas))


def _is_native(context: RouteContext) -> bool:
    return bool(context.path_format) and not context.path_format.startswith(PREFIX)


def _operations(document: Schema, context: RouteContext) -> Iterator[Schema]:
    path = document["paths"].get(context.path_format, {})
    yield from (path[m.lower()] for m in sorted(context.methods or ()) if m.lower() in path)


def _complete_operation(operation: Schema, context: RouteContext) -> set[type[RequestModel]]:
    """Complete one operation. Returns the body models that it refers to."""
    dependencies = list(_dependencies_of(context.dependant))
    bodies = [
        cast("JsonBody[RequestModel]", call) for call in dependencies if isinstance(call, JsonBody)
    ]
    body = bodies[0] if bodies else None
    responses: Schema = operation["responses"]
    operation["security"] = _security(dependencies)
    statuses = {500, *(_AUTHENTICATION_STATUSES if operation["security"] else ())}
    statuses |= {int(status) for status in responses if status in _DECLARED}
    statuses |= _form_statuses(operation)
    if (context.methods or set()) - {"GET"}:
        statuses.add(409)
    if isinstance(body, PublicJsonBody):
        statuses |= {*_AUTHENTICATION_STATUSES}
    if body is not None:
        _describe_body(operation, body)
        statuses |= {*_BODY_STATUSES}
    if chat_request_from_query in dependencies:
        operation["parameters"] = [*operation.get("parameters", ()), *_query_parameters()]
    if "{" in (context.path_format or "") or _refers(operation, body):
        statuses.add(404)
    if _describe_streams(responses, context, body):
        statuses |= {404, *_ANSWER_STATUSES}
    for status in sorted(statuses):
        responses[str(status)] = _error_response(status)
    operation["responses"] = dict(sorted(responses.items()))
    return set() if body is None else {body.model}


def _form_statuses(operation: Schema) -> set[int]:
    """What the upload of a form may be answered."""
    takes_form = _FORM in operation.get("requestBody", {}).get("content", {})
    return {*_BODY_STATUSES, 404, 507} if takes_form else set()


def _security(dependencies: list[object]) -> list[Schema]:
    if event_source_caller in dependencies:
        return [{name: []} for name in _SECURITY_SCHEMES]
    if current_caller in dependencies:
        return [{name: []} for name in _SECURITY_SCHEMES if name != "StreamTicket"]
    return []


def _dependencies_of(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from _dependencies_of(dependency)


def _refers(operation: Schema, body: "JsonBody[RequestModel] | None") -> bool:
    """Whether a request names something beside the path that may not exist."""
    fields = {parameter["name"] for parameter in operation.get("parameters", ())}
    if body is not None:
        fields |= body.model.model_fields.keys()
    return not _REFERENCES.isdisjoint(fields)


def _describe_body(operation: Schema, body: JsonBody[RequestModel]) -> None:
    schema = {"$ref": REF + body.model.__name__}
    operation["requestBody"] = {
        "required": not body.optional,
        "content": {"application/json": {"schema": schema}},
    }


def _describe_streams(
    responses: Schema, context: RouteContext, body: JsonBody[RequestModel] | None
) -> bool:
    """Add event streams to the responses. Returns whether the operation answers with a run."""
    always = context.response_class is EventStream
    stream = {MEDIA_TYPE: {"schema": {"$ref": REF + "ServerSentEvent"}}}
    if always:
        responses["200"]["content"] = stream
        responses["204"] = {"description": "The reader has received the last event."}
    elif body is not None and "stream" in body.model.model_fields:
        responses["200"]["content"] |= stream
    else:
        return False
    return True


def _query_parameters() -> Iterator[Schema]:
    schema = _model_schemas([ChatRequest])["ChatRequest"]
    for name, field in schema["properties"].items():
        parameter: Schema = {"name": name, "in": "query", "required": name in schema["required"]}
        if name in JSON_FIELDS:
            yield {**parameter, "content": {"application/json": {"schema": field}}}
        else:
            yield {**parameter, "schema": field}


def _error_response(status: int) -> Schema:
    name = "InvalidBody" if status == 422 else "ErrorBody"
    schema = {"$ref": REF + name}
    return {
        "description": _ERROR_DESCRIPTIONS[status],
        "content": {"application/json": {"schema": schema}},
    }


def _model_schemas(models: Iterable[type[BaseModel]]) -> Schema:
    ordered = sorted(models, key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(model, "validation") for model in ordered], ref_template=REF + "{model}"
    )
    return made["$defs"]
