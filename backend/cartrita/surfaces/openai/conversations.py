"""`/v1/conversations`: this server's conversations, and their messages as items."""

from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request

from cartrita.dialects.openai_responses import item_parsing
from cartrita.dialects.openai_responses.request_parsing import parse_metadata
from cartrita.dialects.openai_responses.response_rendering import input_items
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.conversations import Conversation, ConversationChange
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, StoredMessage
from cartrita.domain.principals import Principal
from cartrita.kit import ids
from cartrita.surfaces.authentication import AuthenticationMethod
from cartrita.surfaces.dependencies import (
    STORED,
    AppServices,
    CurrentCaller,
    CurrentPrincipal,
    PublicId,
)
from cartrita.surfaces.json_bodies import require_json_type
from cartrita.surfaces.openai.conversation_schemas import (
    ConversationObject,
    DeletedObject,
    ItemList,
    request_body,
)
from cartrita.surfaces.openai.item_pages import (
    After,
    Include,
    IncludeInBrackets,
    Limit,
    Order,
    item_page,
    owned,
    read_item_page,
)
from cartrita.surfaces.openai.references import find_message, item_not_found
from cartrita.surfaces.services import Services

router = APIRouter(prefix="/v1/conversations", tags=["openai"], dependencies=STORED)

_PAGE = 100
_MOST_NEW_ITEMS = 20


@router.post("", name="create_v1_conversation", openapi_extra=request_body("items", "metadata"))
async def create_conversation(
    request: Request, caller: CurrentCaller, services: AppServices
) -> ConversationObject:
    """Create a conversation, with `items` and `metadata` if the body has them."""
    body = await _body(request, caller.authenticated_by)
    messages = _messages(body)
    made = await services.conversations.create(caller.principal, metadata=parse_metadata(body))
    if messages:
        await services.messages.append(caller.principal, made.public_id, messages)
    return _view(made)


@router.get("/{conversation_id}", name="get_v1_conversation")
async def get_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> ConversationObject:
    """Get a conversation."""
    return _view(await services.conversations.get(principal, conversation_id))


@router.post(
    "/{conversation_id}",
    name="change_v1_conversation",
    openapi_extra=request_body("metadata", required=True),
)
async def change_conversation(
    request: Request, caller: CurrentCaller, conversation_id: PublicId, services: AppServices
) -> ConversationObject:
    """Replace the metadata of a conversation."""
    body = await _body(request, caller.authenticated_by)
    change = ConversationChange(metadata=parse_metadata(body))
    return _view(await services.conversations.change(caller.principal, conversation_id, change))


@router.delete("/{conversation_id}", name="delete_v1_conversation")
async def delete_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> DeletedObject:
    """Delete a conversation with all that belongs to it."""
    await services.conversations.delete(principal, conversation_id)
    return DeletedObject(id=conversation_id, object="conversation.deleted", deleted=True)


@router.get("/{conversation_id}/items", name="list_v1_conversation_items")
async def list_items(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    services: AppServices,
    limit: Limit = 20,
    order: Order = "desc",
    after: After = None,
    include: Include = None,
    include_in_brackets: IncludeInBrackets = None,
) -> ItemList:
    """List the items of the current branch, the latest first unless `order` is `asc`."""
    shown = (*(include or ()), *(include_in_brackets or ()))
    walk = services.messages.walk(
        principal,
        conversation_id,
        start=None if after is None else await find_message(services, principal, after),
        newest_first=order == "desc",
        step=limit + 1,
    )
    async with aclosing(walk) as stored:
        return await read_item_page(stored, limit, order, after, shown)


@router.post(
    "/{conversation_id}/items",
    name="add_v1_conversation_items",
    openapi_extra=request_body("items", required=True),
)
async def add_items(
    request: Request, caller: CurrentCaller, conversation_id: PublicId, services: AppServices
) -> ItemList:
    """Add items at the end of the current branch, without an answer."""
    body = await _body(request, caller.authenticated_by)
    await services.conversations.get(caller.principal, conversation_id)
    messages = _messages(body)
    if not messages:
        raise InvalidInput.of("items", "send at least one item")
    added = await services.messages.append(caller.principal, conversation_id, messages)
    return item_page(input_items(map(owned, added)), _PAGE, "asc", None)


@router.get("/{conversation_id}/items/{item_id}", name="get_v1_conversation_item")
async def get_item(
    principal: CurrentPrincipal, conversation_id: PublicId, item_id: PublicId, services: AppServices
) -> dict[str, Any]:
    """Get one item."""
    return (await _find(services, principal, conversation_id, item_id))[1]


@router.delete("/{conversation_id}/items/{item_id}", name="delete_v1_conversation_item")
async def delete_item(
    principal: CurrentPrincipal, conversation_id: PublicId, item_id: PublicId, services: AppServices
) -> ConversationObject:
    """Delete an item, with the message that it is a part of; what follows stays."""
    message, _ = await _find(services, principal, conversation_id, item_id)
    await services.messages.remove(principal, conversation_id, ids.public("msg", message.id))
    return _view(await services.conversations.get(principal, conversation_id))


async def _body(request: Request, method: AuthenticationMethod) -> JsonObject:
    """The body of a request; an empty one means `{}`."""
    body = await request.body()
    if not body:
        return {}
    require_json_type(request, allow_form_type=method is not AuthenticationMethod.COOKIE)
    return RelayedBody.of(body).parsed_whole()


def _messages(body: JsonObject) -> tuple[Message, ...]:
    items = body.get("items")
    if items is None:
        return ()
    if not isinstance(items, list) or len(items) > _MOST_NEW_ITEMS:
        raise InvalidInput.of("items", f"send a list of at most {_MOST_NEW_ITEMS} items")
    found = item_parsing.parse_items(items, "items")
    if found.references:
        raise InvalidInput.of("items", "items are not looked up by their ids; send them whole")
    return found.messages


async def _find(
    services: Services, principal: Principal, conversation: str, item_id: str
) -> tuple[StoredMessage, JsonObject]:
    """An item and the message that it is a part of. Raises NotFound."""
    found = await services.conversations.get(principal, conversation)
    stored = await find_message(services, principal, item_id)
    if stored is not None and stored.conversation_id == found.id:
        for item in input_items([owned(stored)]):
            if item.get("id") == item_id:
                return stored, item
    raise item_not_found(item_id)


def _view(conversation: Conversation) -> ConversationObject:
    return ConversationObject(
        id=conversation.public_id,
        object="conversation",
        created_at=int(conversation.created_at.timestamp()),
        metadata=conversation.metadata,
    )
