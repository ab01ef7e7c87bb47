"""Answers of the clients, held against what the contract says of them."""

from typing import Any

from pydantic import BaseModel
from tests.harness.served_contract import CONTRACT

from cartrita.contract.model import Named, OneOf, Operation, Record
from cartrita.contract.python.answers import kind, returned
from cartrita_client import AsyncChatStream, AsyncDownload, ChatStream, Download

OPERATIONS = {each.id: each for each in CONTRACT.operations}


def finished(found: Any) -> Any:
    """What a method of the blocking client answers in the end: a stream its last event."""
    if isinstance(found, ChatStream):
        return found.final()
    return found.read() if isinstance(found, Download) else found


async def finished_later(found: Any) -> Any:
    """The same of the asynchronous client."""
    if isinstance(found, AsyncChatStream):
        return await found.final()
    return await (found.read() if isinstance(found, AsyncDownload) else found)


def assert_is_answer(operation: Operation, found: Any) -> None:
    """It is of the type that the method promises, and has every field that the contract does."""
    match kind(operation):
        case "nothing":
            assert found is None
        case "bytes":
            assert isinstance(found, bytes)
            assert found
        case "stream":
            assert found.final_response
        case _:
            assert_is_json(operation, found)


def assert_is_json(operation: Operation, found: Any) -> None:
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
