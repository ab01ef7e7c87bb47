"""The endpoints of A2A: agent cards for everybody, and one address for the calls to each agent.

A call that is refused is answered by an error of JSON-RPC with status 200; a caller without a
credential, or beyond a limit, by the errors of the native API.
"""

import msgspec
from fastapi import APIRouter, Request, Response

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.a2a.cards import CARD_PATH, PATH, AgentCard, card_of
from cartrita.surfaces.a2a.methods import METHODS
from cartrita.surfaces.a2a.rpc_errors import VERSION_NOT_SUPPORTED, a2a_error, error_of
from cartrita.surfaces.a2a.types import PROTOCOL_VERSION
from cartrita.surfaces.authentication import Caller
from cartrita.surfaces.dependencies import (
    ANONYMOUS,
    ASKED,
    AppServices,
    CurrentCaller,
    PublicId,
)
from cartrita.surfaces.rpc.calls import MethodCall, call_method, is_of_http
from cartrita.surfaces.rpc.json_rpc import (
    INVALID_REQUEST,
    RpcError,
    error_bytes,
    json_response,
    read_call,
)
from cartrita.surfaces.services import Services

router = APIRouter(tags=["a2a"], include_in_schema=False)


@router.get(CARD_PATH, dependencies=ANONYMOUS)
async def get_agent_card(request: Request, services: AppServices) -> Response:
    """The card of the assistant, whose skills are its agents."""
    return _card(card_of(request, services.agents, None))


@router.get(f"{PATH}/{{agent_id}}{CARD_PATH}", dependencies=ANONYMOUS)
async def get_card_of_agent(
    request: Request, agent_id: PublicId, services: AppServices
) -> Response:
    """The card of one agent."""
    return _card(card_of(request, services.agents, agent_id))


@router.post(PATH, dependencies=ASKED)
async def post_a2a(request: Request, caller: CurrentCaller, services: AppServices) -> Response:
    """Call a method of the assistant."""
    return await _answer(request, services, caller, None)


@router.post(f"{PATH}/{{agent_id}}", dependencies=ASKED)
async def post_a2a_to_agent(
    request: Request, caller: CurrentCaller, agent_id: PublicId, services: AppServices
) -> Response:
    """Call a method of one agent."""
    return await _answer(request, services, caller, services.agents.find(agent_id).id)


async def _answer(
    request: Request, services: Services, caller: Caller, agent_id: str | None
) -> Response:
    try:
        rpc = await read_call(request, caller)
    except RpcError as error:
        return json_response(error_bytes(error))
    try:
        _require_version(request)
        if rpc is None or not rpc.answered:
            raise RpcError(INVALID_REQUEST, "Send a call with an id: there are no notifications.")
        call = MethodCall(request, services, caller.principal, rpc, agent_id)
        return await call_method(call, METHODS)
    except RpcError as error:
        return json_response(error_bytes(error, None if rpc is None else rpc.id))
    except CartritaError as error:
        if is_of_http(error):
            raise
        return json_response(error_bytes(error_of(error), None if rpc is None else rpc.id))


def _require_version(request: Request) -> None:
    """Refuse a version that is told and is not ours; a caller that tells none takes this one."""
    told = request.headers.get("a2a-version") or PROTOCOL_VERSION
    if told.partition(".")[0] != PROTOCOL_VERSION.partition(".")[0]:
        message = f"This server speaks A2A {PROTOCOL_VERSION}, and not {told[:20]}."
        raise a2a_error(VERSION_NOT_SUPPORTED, message)


def _card(card: AgentCard) -> Response:
    return json_response(msgspec.json.encode(card))
