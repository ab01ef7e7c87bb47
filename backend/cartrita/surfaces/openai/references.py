"""Finds what requests name by its id: responses, and items that are stored here."""

from msgspec.structs import replace

from cartrita.dialects.openai_responses import item_parsing
from cartrita.dialects.openai_responses.output_items import parse_item_id
from cartrita.dialects.openai_responses.request_parsing import ENCRYPTED_REASONING, Parsed
from cartrita.dialects.openai_responses.response_rendering import input_items
from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.messages import Message, StoredMessage
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.surfaces.openai.item_pages import owned
from cartrita.surfaces.openai.response_heads import SURFACE, response_not_found, run_of
from cartrita.surfaces.services import Services


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
    if not parsed.references:
        return parsed
    messages = list(parsed.request.messages)
    for reference in reversed(parsed.references):  # so that the earlier positions stay right
        messages.insert(reference.position, await _item(services, principal, reference.id))
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
    return place and await services.model_runs.find_message(principal, place.owner)


def item_not_found(item_id: str) -> NotFound:
    """The error for an item that is not there."""
    return NotFound(f"Item with id '{item_id[:100]}' not found.", code="item_not_found")


async def _item(services: Services, principal: Principal, item_id: str) -> Message:
    stored = await find_message(services, principal, item_id)
    if stored:
        for item in input_items([owned(stored)], include=(ENCRYPTED_REASONING,)):
            if item.get("id") == item_id:
                return item_parsing.parse_items([item], "input").messages[0]
    raise item_not_found(item_id)
