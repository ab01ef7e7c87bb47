"""Error responses of the Anthropic surface, in Anthropic's envelope."""

from starlette.requests import Request
from starlette.responses import Response

from cartrita.dialects.anthropic_messages import error_rendering
from cartrita.domain.errors import CartritaError
from cartrita.surfaces.error_headers import error_headers
from cartrita.surfaces.framework_errors import MethodNotAllowed
from cartrita.surfaces.request_limits import REQUEST_TIMEOUT, URI_TOO_LONG

_STATUS_BY_CODE = {MethodNotAllowed.default_code: 405, REQUEST_TIMEOUT: 408, URI_TOO_LONG: 414}


def error_response(request: Request, error: CartritaError) -> Response:
    """Render an error in Anthropic's envelope."""
    request_id: str | None = getattr(request.state, "request_id", None)
    status, body = error_rendering.render(error, request_id)
    status = _STATUS_BY_CODE.get(error.code, status)
    headers = error_headers(error, status)
    return Response(body, status, headers, media_type="application/json")
