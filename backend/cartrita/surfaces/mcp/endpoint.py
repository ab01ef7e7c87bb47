"""The endpoint of MCP: one POST for each message, without sessions and without a stream of its own.

A caller without a credential or of another origin is answered by the errors of the native API.
"""

from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.dependencies import ASKED, AppServices, CurrentCaller
from cartrita.surfaces.mcp.methods import METHODS
from cartrita.surfaces.mcp.versions import (
    is_stateless,
    require_envelope,
    require_version,
    status_of,
)
from cartrita.surfaces.origins import require_host, require_no_other_origin
from cartrita.surfaces.rpc.calls import MethodCall, call_method, is_of_http
from cartrita.surfaces.rpc.json_rpc import (
    INTERNAL_ERROR,
    RpcError,
    error_bytes,
    json_response,
    read_call,
)

PATH: Final = "/mcp"

router = APIRouter(tags=["mcp"], include_in_schema=False)


async def require_own_origin(request: Request, _: CurrentCaller) -> None:
    """Refuse pages of other origins, and names that lead here by another way than ours.

    A page whose name was bound to this machine's address sends its own name as Origin and as Host.
    """
    require_host(request)
    require_no_other_origin(request)


@router.post(PATH, dependencies=[*ASKED, Depends(require_own_origin)])
async def post_mcp(request: Request, caller: CurrentCaller, services: AppServices) -> Response:
    """Answer one message of a client: a call, or a notification, of which nothing comes."""
    try:
        require_version(request)
        rpc = await read_call(request, caller)
    except RpcError as error:
        return json_response(error_bytes(error), status_of(request, error))
    if rpc is None or not rpc.answered:
        return Response(status_code=202)
    try:
        if is_stateless(request):
            require_envelope(request, rpc)
        return await call_method(MethodCall(request, services, caller.principal, rpc), METHODS)
    except RpcError as error:
        return json_response(error_bytes(error, rpc.id), status_of(request, error))
    except CartritaError as error:
        if is_of_http(error):
            raise
        return json_response(error_bytes(RpcError(INTERNAL_ERROR, error.message), rpc.id))
