"""What of a call is allowed by the scopes of its caller's key, beside its deployments."""

from collections.abc import Iterator, Mapping
from typing import Final

from cartrita.domain.errors import CartritaError, Forbidden
from cartrita.domain.requests import ModelRequest
from cartrita.domain.scopes import Operation
from cartrita.domain.tools import VendorTool
from cartrita.gateway.calls import Call

_OF_THE_CALLER: Final = frozenset({None, "function", "custom"})
"""Types of tools that the caller runs."""
_TOOL_FIELDS: Final[Mapping[str, str]] = {"web_search_options": "web_search", "mcp_servers": "mcp"}
"""Fields of a request that have the provider run a tool, beside `tools`."""


async def require_allowed(call: Call) -> None:
    """Raise Forbidden unless the operation and the tools of a call are allowed.

    A request is read for it only if the key is limited in its tools.
    """
    scopes = call.scopes
    scopes.require_operation(call.operation)
    if scopes.tools is None or call.operation is not Operation.CHAT or not call.recorded:
        return
    try:
        request = await call.read()
    except CartritaError as error:  # it may be one that only its provider understands
        raise Forbidden(
            "This API key may use some tools only, and this request cannot be read to tell which "
            f"it uses: {error.message}",
            code="scope_tool",
        ) from error
    scopes.require_tools(provider_tools(request))


def provider_tools(request: ModelRequest) -> Iterator[str]:
    """The types of the tools that the provider is to run, as its dialect names them."""
    for tool in request.tools:
        if isinstance(tool, VendorTool):
            kind = tool.definition.get("type")
            if kind not in _OF_THE_CALLER:
                yield str(kind)
    if request.vendor is not None:
        for field, name in _TOOL_FIELDS.items():
            if request.vendor.fields.get(field):
                yield name
