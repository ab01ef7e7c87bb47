"""Errors of A2A: the codes of its JSON-RPC binding, with the reason that programs read."""

from collections.abc import Mapping
from typing import Final

from cartrita.domain.errors import CartritaError, ErrorKind
from cartrita.surfaces.rpc.json_rpc import INTERNAL_ERROR, INVALID_PARAMS, RpcError

TASK_NOT_FOUND: Final = -32001
TASK_NOT_CANCELABLE: Final = -32002
PUSH_NOTIFICATION_NOT_SUPPORTED: Final = -32003
UNSUPPORTED_OPERATION: Final = -32004
CONTENT_TYPE_NOT_SUPPORTED: Final = -32005
EXTENDED_AGENT_CARD_NOT_CONFIGURED: Final = -32007
VERSION_NOT_SUPPORTED: Final = -32009

_REASONS: Final[Mapping[int, str]] = {
    TASK_NOT_FOUND: "TASK_NOT_FOUND",
    TASK_NOT_CANCELABLE: "TASK_NOT_CANCELABLE",
    PUSH_NOTIFICATION_NOT_SUPPORTED: "PUSH_NOTIFICATION_NOT_SUPPORTED",
    UNSUPPORTED_OPERATION: "UNSUPPORTED_OPERATION",
    CONTENT_TYPE_NOT_SUPPORTED: "CONTENT_TYPE_NOT_SUPPORTED",
    EXTENDED_AGENT_CARD_NOT_CONFIGURED: "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
    VERSION_NOT_SUPPORTED: "VERSION_NOT_SUPPORTED",
}
_BY_CODE: Final[Mapping[str, int]] = {"run_not_found": TASK_NOT_FOUND}
_ABOUT_PARAMS: Final = frozenset({ErrorKind.INVALID, ErrorKind.MALFORMED, ErrorKind.NOT_FOUND})


def a2a_error(code: int, message: str) -> RpcError:
    """An error of the protocol."""
    return RpcError(code, message, data=_details(_REASONS[code], "a2a-protocol.org"))


def error_of(error: CartritaError) -> RpcError:
    """An error of this server in the words of the protocol."""
    known = _BY_CODE.get(error.code)
    if known is not None:
        return a2a_error(known, error.message)
    code = INVALID_PARAMS if error.kind in _ABOUT_PARAMS else INTERNAL_ERROR
    return RpcError(code, error.message, data=_details(error.code.upper(), "cartrita"))


def _details(reason: str, domain: str) -> list[Mapping[str, str]]:
    """A google.rpc.ErrorInfo, as the protocol has it."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return [{"@type": kind, "reason": reason, "domain": domain}]
