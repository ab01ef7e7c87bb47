"""The native surface's part of openapi.json: what FastAPI cannot see by itself.

Bodies that are read after authentication, the query form of a chat request, event streams, who may
call, and which errors an operation can answer.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, cast

import msgspec
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from cartrita.domain.messages import Part
from cartrita.surfaces.native.asks import STRUCTURED, ChatRequest
from cartrita.surfaces.native.bodies import Body, Incoming, OpenBody
from cartrita.surfaces.native.chat import asked_in_query, event_source
from cartrita.surfaces.native.dependencies import caller
from cartrita.surfaces.native.errors import ErrorBody, InvalidBody
from cartrita.surfaces.native.events import ChatEvent
from cartrita.surfaces.sse import MEDIA_TYPE, EventStream

Schema: TypeAlias = dict[str, Any]

_REF = "#/components/schemas/"
_SECURITY_SCHEMES: Schema = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    "Session": {"type": "apiKey", "in": "cookie", "name": "cartrita_session"},
    "StreamTicket": {"type": "apiKey", "in": "query", "name": "ticket"},
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
            "contentSchema": {"$ref": _REF + "ChatEvent"},
        },
    },
}
_SENTENCES = {
    400: "The request cannot be read.",
    401: "No credential, or one that is not known.",
    403: "Pages of this origin may not do this.",
    404: "There is no such thing, or it is somebody else's.",
    408: "The body did not arrive in time.",
    409: "The state of things forbids it now, or the run was cancelled.",
    413: "The body is too large.",
    414: "The address is too long: POST instead.",
    415: "The body is not JSON.",
    422: "A value is wrong; `errors` names it.",
    429: "Too many requests; Retry-After says when to come back.",
    500: "Something broke on our side.",
    502: "The provider failed.",
    503: "A part of the server is away, or the run was interrupted; try again.",
    504: "It took longer than it may.",
    507: "The disk is full.",
}
_OF_KNOWN_CALLERS = (400, 401, 403, 414, 422, 500, 503)
_OF_BODIES = (400, 408, 413, 415, 422)
_OF_ANSWERS = (409, 429, 502, 504, 507)


def complete(document: Schema, routes: Iterable[BaseRoute]) -> None:
    """Add to what FastAPI made of these routes."""
    schemas: Schema = document.setdefault("components", {}).setdefault("schemas", {})
    document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    bodies: set[type[Incoming]] = {ChatRequest}
    for context in iter_route_contexts(list(routes)):
        if isinstance(context.original_route, APIRoute) and context.path_format:
            for operation in _operations(document, context):
                bodies |= _describe(operation, context)
    schemas.update(_models([*bodies, ErrorBody, InvalidBody]))
    schemas.update(_events())
    schemas["MessageView"]["properties"]["parts"]["items"] = {"$ref": _REF + "MessagePart"}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["schemas"] = dict(sorted(schemas.items()))


def _operations(document: Schema, context: RouteContext) -> Iterator[Schema]:
    path = document["paths"].get(context.path_format, {})
    yield from (path[m.lower()] for m in sorted(context.methods or ()) if m.lower() in path)


def _describe(operation: Schema, context: RouteContext) -> set[type[Incoming]]:
    """Complete one operation; returns the models that it refers to."""
    calls = list(_calls(context.dependant))
    bodies = [cast("Body[Incoming]", call) for call in calls if isinstance(call, Body)]
    body = bodies[0] if bodies else None
    responses: Schema = operation["responses"]
    operation["security"] = _security(calls)
    statuses = {500, *(_OF_KNOWN_CALLERS if operation["security"] else ())}
    if (context.methods or set()) - {"GET"}:
        statuses.add(409)
    if isinstance(body, OpenBody):
        statuses |= {*_OF_KNOWN_CALLERS}
    if body is not None:
        _describe_body(operation, body)
        statuses |= {*_OF_BODIES}
    if asked_in_query in calls:
        operation["parameters"] = [*operation.get("parameters", ()), *_query_parameters()]
    if "{" in (context.path_format or ""):
        statuses.add(404)
    if _describe_streams(responses, context, body):
        statuses |= {404, *_OF_ANSWERS}
    for status in sorted(statuses):
        responses[str(status)] = _error(status)
    operation["responses"] = dict(sorted(responses.items()))
    return set() if body is None else {body.model}


def _security(calls: list[object]) -> list[Schema]:
    if event_source in calls:
        return [{name: []} for name in _SECURITY_SCHEMES]
    if caller in calls:
        return [{name: []} for name in _SECURITY_SCHEMES if name != "StreamTicket"]
    return []


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from _calls(dependency)


def _describe_body(operation: Schema, body: Body[Incoming]) -> None:
    schema = {"$ref": _REF + body.model.__name__}
    operation["requestBody"] = {
        "required": not body.optional,
        "content": {"application/json": {"schema": schema}},
    }


def _describe_streams(
    responses: Schema, context: RouteContext, body: Body[Incoming] | None
) -> bool:
    """Whether the operation waits for an answer, or streams it."""
    always = context.response_class is EventStream
    stream = {MEDIA_TYPE: {"schema": {"$ref": _REF + "ServerSentEvent"}}}
    if always:
        responses["200"]["content"] = stream
        responses["204"] = {"description": "The reader has seen the end."}
    elif body is not None and "stream" in body.model.model_fields:
        responses["200"]["content"] |= stream
    else:
        return False
    return True


def _query_parameters() -> Iterator[Schema]:
    schema = _models([ChatRequest])["ChatRequest"]
    for name, field in schema["properties"].items():
        parameter: Schema = {"name": name, "in": "query", "required": name in schema["required"]}
        if name in STRUCTURED:
            yield {**parameter, "content": {"application/json": {"schema": field}}}
        else:
            yield {**parameter, "schema": field}


def _error(status: int) -> Schema:
    name = "InvalidBody" if status == 422 else "ErrorBody"
    schema = {"$ref": _REF + name}
    return {
        "description": _SENTENCES[status],
        "content": {"application/json": {"schema": schema}},
    }


def _models(models: Iterable[type[BaseModel]]) -> Schema:
    ordered = sorted(models, key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(model, "validation") for model in ordered], ref_template=_REF + "{model}"
    )
    return made["$defs"]


def _events() -> Schema:
    (event, part), components = msgspec.json.schema_components(
        [ChatEvent, Part], ref_template=_REF + "{name}"
    )
    return {
        **components,
        "ChatEvent": event,
        "MessagePart": part,
        "ServerSentEvent": _SERVER_SENT_EVENT,
    }
