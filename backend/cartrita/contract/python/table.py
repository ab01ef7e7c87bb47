"""Writes the table of operations."""

from cartrita.contract.model import Contract, Operation, Repetition
from cartrita.contract.python.annotations import quoted
from cartrita.contract.python.answers import answer_name, kind, streams_on_request
from cartrita.contract.python.layout import called, module

_IMPORTS = "from cartrita_client.operations import Operation\n"


def table_file(contract: Contract) -> str:
    """`generated/table.py`."""
    rows: list[str] = []
    names: list[str] = []
    for operation in contract.operations:
        names.append(constant(operation.id))
        rows.append("\n" + called("", f"{constant(operation.id)} = Operation(", _row(operation)))
        if streams_on_request(operation, contract):
            names.append(constant(stream_name(operation)))
            rows.append(
                "\n"
                + called("", f"{constant(stream_name(operation))} = Operation(", _stream(operation))
            )
    listed = "".join(f"    {name},\n" for name in names)
    rows.append(f"\nOPERATIONS: tuple[Operation, ...] = (\n{listed})\n")
    return module("The operations of the API.", _IMPORTS, rows)


def constant(name: str) -> str:
    """The name of an operation's row."""
    return name.upper()


def stream_name(operation: Operation) -> str:
    """The method for the stream of an operation that streams where it is asked to."""
    return f"{operation.id}_stream"


def _row(operation: Operation) -> list[str]:
    told = [quoted(operation.id), quoted(operation.method), quoted(operation.path)]
    found = kind(operation)
    if found != "json":
        told.append(f"kind={quoted(found)}")
    elif name := answer_name(operation):
        told.append(f"answer={quoted(name)}")
    if operation.waits:
        told.append("waits=True")
    return [*told, *_manners(operation)]


def _stream(operation: Operation) -> list[str]:
    told = [stream_name(operation), operation.method, operation.path]
    return [*map(quoted, told), 'kind="stream"', *_manners(operation)]


def _manners(operation: Operation) -> list[str]:
    told: list[str] = []
    if operation.repetition is not Repetition.SAFE:
        told.append(f"repetition={quoted(operation.repetition)}")
    if operation.provider is not None:
        told.append("long=True")
        if operation.provider.default is not None:
            told.append(f"provider={quoted(operation.provider.default)}")
        if operation.provider.field is not None:
            told.append("provider_in_body=True")
    return told
