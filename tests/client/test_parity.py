"""Every operation is called through both clients on a live server, and its answer is read.

What is called comes from the contract: an operation that nobody calls here fails.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.client.sample_calls import CALLS
from tests.client.world import World
from tests.harness.served_contract import CONTRACT

from cartrita.contract.model import (
    Enumeration,
    Named,
    OneOf,
    Operation,
    Record,
    Variants,
)
from cartrita.contract.python.answers import kind, returned, streams_on_request
from cartrita_client import (
    AsyncCartritaApiClient,
    AsyncChatStream,
    AsyncDownload,
    CartritaApiClient,
    ChatStream,
    Download,
    kinds,
    models,
)
from cartrita_client.shapes import UNKNOWN

OPERATIONS = {each.id: each for each in CONTRACT.operations}
STREAMS = [each.id for each in CONTRACT.operations if streams_on_request(each, CONTRACT)]
PAGES = [each.id for each in CONTRACT.operations if each.item is not None]


def test_every_operation_has_its_call() -> None:
    assert set(CALLS) == set(OPERATIONS)


def test_both_clients_have_the_methods_of_the_contract_and_no_others() -> None:
    wanted = {
        *OPERATIONS,
        *(f"{name}_stream" for name in STREAMS),
        *(f"iter_{name.removeprefix('list_')}" for name in PAGES),
        *("live", "voice", "close"),
    }
    for client in (CartritaApiClient, AsyncCartritaApiClient):
        found = {name for name, _ in inspect.getmembers(client, inspect.isfunction)}
        assert {name for name in found if not name.startswith("_")} == wanted


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_both_take_the_same_arguments(name: str) -> None:
    blocking = inspect.signature(getattr(CartritaApiClient, name))
    other = inspect.signature(getattr(AsyncCartritaApiClient, name))
    assert list(blocking.parameters.items()) == list(other.parameters.items())


@pytest.mark.parametrize("name", sorted(CALLS))
def test_an_answer_is_read_by_the_blocking_client(client: CartritaApiClient, name: str) -> None:
    given = CALLS[name](World(client))
    operation = OPERATIONS[name]
    if operation.announced:
        with pytest.raises(kinds.NotFound):
            getattr(client, name)(*given.path, **given.named)
        return
    found = getattr(client, name)(*given.path, **given.named)
    if isinstance(found, ChatStream):
        assert found.final().final_response
    elif isinstance(found, Download):
        assert found.read()
    else:
        assert_is_answer(operation, found)


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_an_answer_is_read_by_the_asynchronous_client(
    client: CartritaApiClient, async_client: AsyncCartritaApiClient, name: str
) -> None:
    given = CALLS[name](World(client))
    operation = OPERATIONS[name]
    if operation.announced:
        with pytest.raises(kinds.NotFound):
            await getattr(async_client, name)(*given.path, **given.named)
        return
    found = getattr(async_client, name)(*given.path, **given.named)
    if isinstance(found, AsyncChatStream):
        assert (await found.final()).final_response
    elif isinstance(found, AsyncDownload):
        assert await found.read()
    else:
        assert_is_answer(operation, await found)


@pytest.mark.parametrize("name", STREAMS)
async def test_what_streams_on_request_streams(
    client: CartritaApiClient, async_client: AsyncCartritaApiClient, name: str
) -> None:
    for _ in range(2):
        given = CALLS[name](World(client))
        stream = getattr(client, f"{name}_stream")(*given.path, **given.named)
        if OPERATIONS[name].announced:
            with pytest.raises(kinds.NotFound):
                stream.final()
        else:
            assert "".join(stream.text()) == stream.final().final_response != ""
        given = CALLS[name](World(client))
        other = getattr(async_client, f"{name}_stream")(*given.path, **given.named)
        if OPERATIONS[name].announced:
            with pytest.raises(kinds.NotFound):
                await other.final()
        else:
            text = "".join([piece async for piece in other.text()])
            assert text == (await other.final()).final_response != ""


@pytest.mark.parametrize("name", PAGES)
async def test_pages_follow_each_other(
    client: CartritaApiClient, async_client: AsyncCartritaApiClient, name: str
) -> None:
    world = World(client)
    path = [CALLS[name](world).path for _ in range(3)][-1]
    method = f"iter_{name.removeprefix('list_')}"
    whole = getattr(client, name)(*path, limit=100).items[:2]
    found: Iterator[Any] = getattr(client, method)(*path, limit=1)
    assert [each.id for each, _ in zip(found, whole, strict=False)] == [each.id for each in whole]
    other = getattr(async_client, method)(*path, limit=1)
    assert (await anext(other)).id == whole[0].id
    await other.aclose()


def assert_is_answer(operation: Operation, found: Any) -> None:
    """It is of the type that the method promises, and has every field that the contract does."""
    if kind(operation) == "nothing":
        assert found is None
        return
    promised = returned(operation)
    options = promised.options if isinstance(promised, OneOf) else (promised,)
    assert type(found).__name__ in {each.name for each in options if isinstance(each, Named)}
    assert_complete(found)


def assert_complete(found: BaseModel) -> None:
    """Every field that must be there was there, all the way down."""
    record = CONTRACT.definitions[type(found).__name__]
    assert isinstance(record, Record)
    required = {each.name for each in record.fields if each.required}
    assert required <= found.model_fields_set
    for name in type(found).model_fields:
        value = getattr(found, name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, BaseModel):
                assert_complete(each)


def test_every_kind_of_error_has_its_class() -> None:
    assert set(kinds.KINDS) == {each.name for each in CONTRACT.error_kinds}
    for each in CONTRACT.error_kinds:
        found = kinds.KINDS[each.name]
        assert found.kind == each.name
        for code in each.codes:
            assert kinds.class_of(None, code) is found
            assert found("No.", code=code).retryable is (
                each.retryable and code not in each.lasting
            )
        if code := next(iter(each.codes), None):
            assert getattr(kinds, found.__name__) is kinds.class_of(599, code)


def test_every_definition_is_a_model() -> None:
    for name, found in CONTRACT.definitions.items():
        assert isinstance(found, Record | Enumeration | Variants)
        assert hasattr(models, name)


def test_a_part_of_a_newer_server_is_kept_as_it_is() -> None:
    told = {
        "id": "msg_1",
        "parts": [{"type": "hologram", "url": "x"}, {"type": "text", "text": "a"}],
    }
    message = models.MessageView.model_validate({**told, "role": "assistant", "newer": 1})
    assert [type(part).__name__ for part in message.parts] == ["UnknownVariant", "TextPart"]
    assert message.parts[0].model_dump() == {"type": "hologram", "url": "x"}
    assert UNKNOWN not in str(message)
    assert message.content is None  # an older server does not tell it
