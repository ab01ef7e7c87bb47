"""Finds what requests name by its id: responses, and items that are stored here."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from cartrita.application.runs.model_runs import MESSAGES_MAX
from cartrita.dialects.openai_refusals import out_of_bounds
from cartrita.dialects.openai_responses import item_parsing
from cartrita.dialects.openai_responses.output_items import parse_item_id
from cartrita.dialects.openai_responses.request_parsing import ENCRYPTED_REASONING, Parsed
from cartrita.dialects.openai_responses.response_rendering import input_items
from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Message, StoredMessage
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit.long_work import run_long
from cartrita.surfaces.openai.item_pages import owned
from cartrita.surfaces.openai.response_heads import SURFACE, response_not_found, run_of
from cartrita.surfaces.services import Services

_ITEM_SIZE: Final = 500
"""So many bytes of JSON take as long as an item that was referred to."""


async def find_response(services: Services, principal: Principal, response: str) -> Run:
    """The run of a response; that of another surface is none. Raises NotFound."""
    try:
        run = await services.runs.get(principal, run_of(response))
    except NotFound:
        raise response_not_found(response) from None
    if run.surface != SURFACE:
        raise response_not_found(response)
    return run


async def find_previous(services: Services, principal: Principal, parsed: Parsed) -> Run | None:
    """The run of the response that a request follows. Raises InvalidInput, as the vendor does."""
    previous = parsed.previous_response_id
    if previous is None:
        return None
    try:
        return await find_response(services, principal, previous)
    except NotFound:
        message = f"Previous response with id '{previous[:100]}' not found."
        raise InvalidInput(
            message,
            fields={"previous_response_id": [message]},
            code="previous_response_not_found",
        ) from None


async def with_items(services: Services, principal: Principal, parsed: Parsed) -> Parsed:
    """The request with the stored items that it refers to. Raises NotFound, and InvalidInput."""
    count = len(parsed.references)
    if not count:
        return parsed
    if count > MESSAGES_MAX:
        problem = f"array too long. Expected at most {MESSAGES_MAX} references, but got {count}."
        raise out_of_bounds("input", problem, "array_above_max_length")
    owners = {one.id: place.owner for one in parsed.references if (place := parse_item_id(one.id))}
    stored = await services.messages.find_owners(principal, set(owners.values()))
    return await run_long(_ITEM_SIZE * count, _with_found, parsed, owners, stored)


def _with_found(
    parsed: Parsed, owners: Mapping[str, str], stored: Mapping[str, StoredMessage]
) -> Parsed:
    """The request with the items of these messages, by the ids of the items and of the messages."""
    items: dict[tuple[str | None, JsonValue], JsonObject] = {
        (owner, item.get("id")): item
        for owner, message in stored.items()
        for item in input_items([owned(message)], include=(ENCRYPTED_REASONING,))
    }
    messages: list[Message] = []
    position = 0
    for reference in parsed.references:
        item = items.get((owners.get(reference.id), reference.id))
        if item is None:
            raise item_not_found(reference.id)
        messages += parsed.request.messages[position : reference.position]
        messages += item_parsing.parse_items([item], "input").messages
        position = reference.position
    messages += parsed.request.messages[position:]
    found = tuple(messages)
    if parsed.previous_response_id is None and parsed.conversation_id is None:
        item_parsing.check_calls(found)
    return replace(parsed, request=replace(parsed.request, messages=found), references=())


async def with_history(services: Services, principal: Principal, parsed: Parsed) -> Parsed:
    """The request with all that it refers to, so that it can be answered without being stored.

    Raises NotFound, InvalidInput, and Conflict if the response that it follows has not ended.
    """
    if parsed.conversation_id is not None:
        raise InvalidInput.of("conversation", "what is not stored is not part of one; leave it out")
    whole = await with_items(services, principal, parsed)
    previous = await find_previous(services, principal, parsed)
    if previous is None:
        return whole
    messages = await services.model_runs.continued(principal, previous, whole.request.messages)
    return replace(whole, request=replace(whole.request, messages=messages))


async def find_message(
    services: Services, principal: Principal, item_id: str
) -> StoredMessage | None:
    """The message that an item is a part of, by the item's id; None if it is not there."""
    place = parse_item_id(item_id)
    if place is None:
        return None
    return (await services.messages.find_owners(principal, (place.owner,))).get(place.owner)


def item_not_found(item_id: str) -> NotFound:
    """The error for an item that is not there."""
    return NotFound(f"Item with id '{item_id[:100]}' not found.", code="item_not_found")
