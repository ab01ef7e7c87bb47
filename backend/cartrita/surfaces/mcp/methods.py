"""The methods of MCP that a server of tools has."""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from starlette.responses import Response

from cartrita.domain.errors import CartritaError, NotFound
from cartrita.surfaces.answer_room import require_room
from cartrita.surfaces.mcp.agent_tools import AgentArguments, answer_of, tool_list, tool_result
from cartrita.surfaces.mcp.call_streams import call_stream
from cartrita.surfaces.mcp.versions import STATELESS, WITH_HANDSHAKE, agreed_version
from cartrita.surfaces.rpc.calls import Method, MethodCall, is_of_http
from cartrita.surfaces.rpc.json_rpc import (
    INVALID_PARAMS,
    RpcCall,
    RpcError,
)
from cartrita.surfaces.run_ends import wait_for_end
from cartrita.surfaces.services import config_of
from cartrita.surfaces.sse import MEDIA_TYPE

_CAPABILITIES: Final[Mapping[str, Any]] = {"tools": {"listChanged": False}}
_INSTRUCTIONS: Final = (
    "Each tool is an agent. A result names its conversation; send conversation_id to go on with it."
)
_NOT_CACHED: Final[Mapping[str, Any]] = {
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "private",
}


async def _initialize(call: MethodCall) -> Response:
    return call.answer(
        {
            "protocolVersion": agreed_version(call.rpc.params.get("protocolVersion")),
            "capabilities": _CAPABILITIES,
            "serverInfo": _server_info(call),
            "instructions": _INSTRUCTIONS,
        }
    )


async def _discover(call: MethodCall) -> Response:
    return call.answer(
        {
            **_NOT_CACHED,
            "supportedVersions": [*STATELESS, *reversed(WITH_HANDSHAKE)],
            "capabilities": _CAPABILITIES,
            "instructions": _INSTRUCTIONS,
            "_meta": {"io.modelcontextprotocol/serverInfo": _server_info(call)},
        }
    )


async def _ping(call: MethodCall) -> Response:
    return call.answer({})


async def _list_tools(call: MethodCall) -> Response:
    return call.answer({**_NOT_CACHED, "tools": tool_list(call.services.agents)})


async def _call_tool(call: MethodCall) -> Response:
    """Have an agent answer: as a stream for who accepts one, else as a whole.

    What is wrong with the arguments is a result, which tells the model that sent them.
    """
    agent_id = _agent_id(call)
    require_room(call.request, call.principal)
    try:
        arguments = msgspec.convert(call.rpc.params.get("arguments", {}), AgentArguments)
        run = await call.start(arguments.to_command(agent_id))
    except msgspec.ValidationError as error:
        return call.answer(tool_result(f"Wrong arguments: {error}.", is_error=True))
    except CartritaError as error:
        if is_of_http(error):
            raise
        return call.answer(tool_result(error.message, {"code": error.code}, is_error=True))
    if MEDIA_TYPE in call.request.headers.get("accept", ""):
        token = _progress_token(call.rpc)
        return call_stream(call.services, call.principal, run, call.rpc.id, token)
    end = await wait_for_end(call.request, call.services, call.principal, run.id)
    return call.answer(answer_of(run, end))


METHODS: Final[Mapping[str, Method]] = {
    "initialize": _initialize,
    "server/discover": _discover,
    "ping": _ping,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}


def _agent_id(call: MethodCall) -> str:
    name = call.rpc.params.get("name")
    if not isinstance(name, str) or not name:
        raise RpcError(INVALID_PARAMS, "params.name must be the name of a tool.")
    try:
        return call.services.agents.find(name).id
    except NotFound as error:
        raise RpcError(INVALID_PARAMS, f"Unknown tool: {error.message}") from None


def _progress_token(rpc: RpcCall) -> str | int | None:
    meta = rpc.params.get("_meta")
    token = cast("dict[str, Any]", meta).get("progressToken") if isinstance(meta, dict) else None
    return token if isinstance(token, str | int) and not isinstance(token, bool) else None


def _server_info(call: MethodCall) -> Mapping[str, str]:
    version = config_of(call.request).version
    return {"name": "cartrita", "title": "Cartrita", "version": version}
