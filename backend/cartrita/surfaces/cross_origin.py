"""What pages of other origins may send and read: CORS, for the origins that are listed."""

from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from cartrita.surfaces.services import SurfaceConfig

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-API-Key",
    "X-Cartrita-Cache",
    "X-Cartrita-Provider",
    "X-Cartrita-Strict",
    "X-Client-Version",
    "X-Request-ID",
)
_HEADERS_OF_SDKS: Final = (
    "A2A-Version",
    "Anthropic-Beta",
    "Anthropic-Dangerous-Direct-Browser-Access",
    "Anthropic-Version",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
    "OpenAI-Organization",
    "OpenAI-Project",
    "X-Stainless-Arch",
    "X-Stainless-Helper-Method",
    "X-Stainless-Lang",
    "X-Stainless-OS",
    "X-Stainless-Package-Version",
    "X-Stainless-Poll-Helper",
    "X-Stainless-Retry-Count",
    "X-Stainless-Runtime",
    "X-Stainless-Runtime-Version",
    "X-Stainless-Timeout",
)
"""What the official clients of OpenAI, Anthropic, A2A and MCP send in a browser."""
_RESPONSE_HEADERS: Final = (
    "Content-Disposition",
    "RateLimit",
    "RateLimit-Policy",
    "Request-ID",
    "Retry-After",
    "X-Cartrita-Cache",
    "X-Cartrita-Provider",
    "X-Cartrita-Receipts",
    "X-Cartrita-Token-Count",
    "X-Request-ID",
)


def cross_origin(config: SurfaceConfig) -> list[Middleware]:
    """The middleware that answers preflights of listed origins; none where none is listed."""
    if not config.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=config.cors_origins,
            allow_methods=_METHODS,
            allow_headers=(*_REQUEST_HEADERS, *_HEADERS_OF_SDKS),
            expose_headers=_RESPONSE_HEADERS,
            allow_credentials=True,
            max_age=int(config.cors_max_age_s),
        )
    ]
