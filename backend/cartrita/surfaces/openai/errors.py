"""Error responses of the OpenAI surface: OpenAI's envelope, with the statuses that SDKs expect."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cartrita.dialects import openai_error_rendering
from cartrita.domain.errors import CartritaError, InvalidInput
from cartrita.surfaces.error_headers import error_headers
from cartrita.surfaces.framework_errors import MethodNotAllowed
from cartrita.surfaces.request_limits import REQUEST_TIMEOUT, URI_TOO_LONG

_STATUS_BY_CODE = {MethodNotAllowed.default_code: 405, REQUEST_TIMEOUT: 408, URI_TOO_LONG: 414}


class InvalidExtension(InvalidInput):
    """A field that is ours and not OpenAI's is wrong."""


def error_response(request: Request, error: CartritaError) -> Response:
    """Render an error in OpenAI's envelope."""
    request_id: str | None = getattr(request.state, "request_id", None)
    status, body = openai_error_rendering.render(error, request_id)
    status = _STATUS_BY_CODE.get(error.code, status)
    if isinstance(error, InvalidExtension):
        status, body = 422, _validation_error(error, request_id)
    headers = error_headers(error, status)
    return Response(body, status, headers, media_type="application/json")


def _validation_error(error: InvalidExtension, request_id: str | None) -> bytes:
    fields = {**openai_error_rendering.fields(error), "type": "validation_error"}
    fields["code"] = error.code
    return msgspec.json.encode({"error": fields, "request_id": request_id})
