"""What a response request refers to is looked up before it is answered."""

import asyncio
import json
from typing import cast

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.principals import Principal
from cartrita.kit.long_work import LARGE
from cartrita.surfaces.openai.response_fields import ResponseFields, response_fields
from cartrita.surfaces.openai.responses import _look_up
from cartrita.surfaces.services import Services

ANN = Principal("ann", "key")
NOTHING_STORED = cast("Services", None)


def with_an_id(texts: int) -> ResponseFields:
    items = [{"type": "message", "role": "user", "content": f"Message {n}"} for n in range(texts)]
    first = {"id": "msg_own", **items[0]}
    body = {"model": "m", "store": False, "input": [first, *items[1:]]}
    return response_fields(RelayedBody.of(json.dumps(body).encode()))


async def turns_of_the_loop(fields: ResponseFields) -> int:
    """How often anything else had its turn while this was looked up."""
    looking, turns = asyncio.create_task(_look_up(NOTHING_STORED, ANN, fields)), 0
    while not looking.done():
        await asyncio.sleep(0)
        turns += 1
    found = looking.result()
    assert (found.refers, found.relayable) == (False, True)
    assert found.whole is not None
    return turns


async def test_a_large_request_is_read_beside_the_loop() -> None:
    large = with_an_id(20_000)
    assert len(large.body.octets) > LARGE
    assert await turns_of_the_loop(with_an_id(1)) < 5
    assert await turns_of_the_loop(large) > 20
