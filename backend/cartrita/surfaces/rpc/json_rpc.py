"""JSON-RPC 2.0 over HTTP: calls as they are read, results and errors as they are written.

Source: https://www.jsonrpc.org/specification. Batches are not taken: neither A2A nor MCP has them.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeVar, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cartrita.domain.errors import InvalidInput, Malformed
from cartrita.surfaces.authentication import AuthenticationMethod, Caller
from cartrita.surfaces.json_bodies import parse_object, require_json_type

T = TypeVar("T")
RpcId: TypeAlias = str | int | None

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603


class RpcError(Exception):
    """A call that is answered by an error; `call_id` is None where no id could be read."""

    def __init__(
        self, code: int, message: str, *, data: object = None, call_id: RpcId = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
        self.call_id = call_id


class RpcCall(msgspec.Struct, frozen=True):
    """A call of a method; `answered` is false for a notification, which has no id."""

    method: str
    params: Mapping[str, Any]
    id: RpcId = None
    answered: bool = True

    def params_as(self, kind: type[T]) -> T:
        """The parameters as a Struct. Raises RpcError."""
        try:
            return msgspec.convert(self.params, kind)
        except msgspec.ValidationError as error:
            raise RpcError(INVALID_PARAMS, f"Invalid params: {error}.") from None


async def read_call(request: Request, caller: Caller) -> RpcCall | None:
    """The call in the body of a request; None for a response, which asks for nothing.

    Raises RpcError for what is not a call, and UnsupportedMedia.
    """
    cookie = caller.authenticated_by is AuthenticationMethod.COOKIE
    require_json_type(request, allow_form_type=not cookie)
    return parse_call(b"".join([piece async for piece in request.stream()]))


def parse_call(body: bytes) -> RpcCall | None:
    """The same, of a body."""
    if body.lstrip().startswith(b"["):
        raise RpcError(INVALID_REQUEST, "Batches are not taken: send one call.")
    try:
        given = parse_object(body)
    except Malformed as error:
        raise RpcError(PARSE_ERROR, error.message) from None
    except InvalidInput as error:
        raise RpcError(INVALID_PARAMS, error.message) from None
    call_id = _id_of(given)
    method, params = given.get("method"), given.get("params", {})
    if given.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'jsonrpc must be "2.0".', call_id=call_id)
    if method is None and given.keys() & {"result", "error"}:
        return None
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "method must be a string.", call_id=call_id)
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "params must be an object.", call_id=call_id)
    return RpcCall(method, cast("dict[str, Any]", params), call_id, "id" in given)


def _id_of(given: Mapping[str, Any]) -> RpcId:
    found = given.get("id")
    if found is None or (isinstance(found, str | int) and not isinstance(found, bool)):
        return found
    raise RpcError(INVALID_REQUEST, "id must be a string or an integer.")


def result_bytes(call_id: RpcId, result: object) -> bytes:
    """A result as it is written; Structs say themselves how."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": call_id, "result": result})


def error_bytes(error: RpcError, call_id: RpcId = None) -> bytes:
    """An error as it is written."""
    told: dict[str, object] = {"code": error.code, "message": error.message}
    if error.data is not None:
        told["data"] = error.data
    found = error.call_id if call_id is None else call_id
    return msgspec.json.encode({"jsonrpc": "2.0", "id": found, "error": told})


def json_response(body: bytes, status: int = 200) -> Response:
    """A response with a body of JSON."""
    return Response(body, status_code=status, media_type="application/json")


def notification_bytes(method: str, params: Mapping[str, object]) -> bytes:
    """A notification as it is written."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": params})
