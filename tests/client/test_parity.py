"""Every operation is called through both clients on a live server, and its answer is read.

What is called comes from the contract: an operation that nobody calls here fails.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from tests.client.answers import OPERATIONS, assert_is_answer, finished, finished_later
from tests.client.sample_calls import CALLS, WITHOUT_DESKTOPS
from tests.client.world import World
from tests.harness.served_contract import CONTRACT

from cartrita.contract.model import Enumeration, Record, Variants
from cartrita.contract.python.answers import streams_on_request
from cartrita_client import AsyncCartritaApiClient, CartritaApiClient, kinds, models
from cartrita_client.shapes import UNKNOWN

STREAMS = [each.id for each in CONTRACT.operations if streams_on_request(each, CONTRACT)]
PAGES = [each.id for each in CONTRACT.operations if each.item is not None]
ANSWERED = sorted(set(CALLS) - set(WITHOUT_DESKTOPS))
"""What a server without desktops does not refuse."""


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


@pytest.mark.parametrize("name", ANSWERED)
def test_an_answer_is_read_by_the_blocking_client(client: CartritaApiClient, name: str) -> None:
    given = CALLS[name](World(client))
    found = getattr(client, name)(*given.path, **given.named)
    assert_is_answer(OPERATIONS[name], finished(found))


@pytest.mark.parametrize("name", ANSWERED)
async def test_an_answer_is_read_by_the_asynchronous_client(
    client: CartritaApiClient, async_client: AsyncCartritaApiClient, name: str
) -> None:
    given = CALLS[name](World(client))
    found = getattr(async_client, name)(*given.path, **given.named)
    assert_is_answer(OPERATIONS[name], await finished_later(found))


@pytest.mark.parametrize(("name", "code"), sorted(WITHOUT_DESKTOPS.items()))
async def test_what_a_server_without_desktops_says_is_raised(
    client: CartritaApiClient, async_client: AsyncCartritaApiClient, name: str, code: str
) -> None:
    given = CALLS[name](World(client))
    methods = [name, f"{name}_stream"] if name in STREAMS else [name]
    for method in methods:
        with pytest.raises(kinds.class_of(None, code)) as refused:
            finished(getattr(client, method)(*given.path, **given.named))
        assert refused.value.code == code
        with pytest.raises(kinds.class_of(None, code)) as refused_later:
            await finished_later(getattr(async_client, method)(*given.path, **given.named))
        assert refused_later.value.code == code


@pytest.mark.parametrize("name", [each for each in STREAMS if each in ANSWERED])
async def test_what_streams_on_request_streams(
    client: CartritaApiClient, async_client: AsyncCartritaApiClient, name: str
) -> None:
    for _ in range(2):
        given = CALLS[name](World(client))
        stream = getattr(client, f"{name}_stream")(*given.path, **given.named)
        assert "".join(stream.text()) == stream.final().final_response != ""
        given = CALLS[name](World(client))
        other = getattr(async_client, f"{name}_stream")(*given.path, **given.named)
        text = "".join([piece async for piece in other.text()])
        assert text == (await other.final()).final_response != ""


@pytest.mark.parametrize("name", [each for each in PAGES if each != "list_desktops"])
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
