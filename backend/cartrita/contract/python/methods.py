"""Writes the methods of both clients: one template, blocking or not."""

from dataclasses import dataclass

from cartrita.contract.model import Contract, Named, Operation, Record
from cartrita.contract.python.answers import alias_of, kind, returned, streams_on_request
from cartrita.contract.python.layout import called, docstring, module
from cartrita.contract.python.parameters import (
    Argument,
    body_arguments,
    file_arguments,
    given,
    path_arguments,
    query_arguments,
    takes_key,
)
from cartrita.contract.python.table import constant, stream_name

_CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Flavour:
    """What differs between a client that blocks and one that does not."""

    docstring: str
    define: str
    wait: str
    stream: str
    download: str
    iterator: str
    modules: tuple[str, str]


BLOCKING = Flavour(
    "The operations as methods that block.",
    "def",
    "",
    "ChatStream",
    "Download",
    "Iterator",
    ("chat_streams", "downloads"),
)
ASYNCHRONOUS = Flavour(
    "The operations as coroutines.",
    "async def",
    "await ",
    "AsyncChatStream",
    "AsyncDownload",
    "AsyncIterator",
    ("async_chat_streams", "async_downloads"),
)


def methods_file(contract: Contract, flavour: Flavour) -> str:
    """`generated/operations_sync.py`, or its twin."""
    records = {
        name: each for name, each in contract.definitions.items() if isinstance(each, Record)
    }
    parts = [_CLASS.format(flavour=flavour)]
    for operation in contract.operations:
        parts.append(_method(operation, flavour, records))
        if operation.item is not None:
            parts.append(_iterator(operation, flavour, records))
        if streams_on_request(operation, contract):
            parts.append(_stream(operation, flavour, records))
    return module(flavour.docstring, _IMPORTS.format(flavour=flavour), parts)


_IMPORTS = """\
from abc import ABC, abstractmethod
from collections.abc import {flavour.iterator}, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from cartrita_client.generated import table
from cartrita_client.operations import Given, Operation

if TYPE_CHECKING:
    from cartrita_client.{flavour.modules[0]} import {flavour.stream}
    from cartrita_client.{flavour.modules[1]} import {flavour.download}
    from cartrita_client.forms import FileInput, Progress
    from cartrita_client.generated import models
"""
_CLASS = '''

class Operations(ABC):
    """One method for each operation; what they return comes from the four below."""

    @abstractmethod
    {flavour.define} _answer(self, operation: Operation, given: Given) -> Any:
        """The value of a whole answer."""

    @abstractmethod
    def _items(self, operation: Operation, given: Given) -> Any:
        """What all pages hold, one after the other."""

    @abstractmethod
    def _stream(self, operation: Operation, given: Given) -> {flavour.stream}:
        """A stream of events, which is asked for when it is read."""

    @abstractmethod
    def _download(self, operation: Operation, given: Given) -> {flavour.download}:
        """A file, which is asked for when it is read."""
'''


def _method(operation: Operation, flavour: Flavour, records: dict[str, Record]) -> str:
    found = kind(operation)
    row = f"table.{constant(operation.id)}"
    told = list(given(operation, records, streamed=False))
    head = _signature(operation, flavour, records, found)
    if found in ("stream", "bytes"):
        verb = "self._stream(" if found == "stream" else "self._download("
        return head + _passed(f"return {verb}{row}, Given(", told)
    if found == "nothing":
        return head + _passed(f"{flavour.wait}self._answer({row}, Given(", told)
    passed = _passed(
        f"found: {_result(operation)} = {flavour.wait}self._answer({row}, Given(", told
    )
    return f"{head}{passed}        return found\n"


def _signature(
    operation: Operation, flavour: Flavour, records: dict[str, Record], found: str
) -> str:
    result = {"stream": flavour.stream, "bytes": flavour.download, "nothing": "None"}
    define = "def" if found in ("stream", "bytes") else flavour.define
    arguments = _arguments(operation, records)
    return _head(
        f"{define} {operation.id}(",
        arguments,
        result.get(found) or _result(operation),
        _told(operation, arguments),
        takes_key(operation),
    )


def _iterator(operation: Operation, flavour: Flavour, records: dict[str, Record]) -> str:
    assert isinstance(operation.item, Named)
    item = f"{flavour.iterator}[models.{operation.item.name}]"
    arguments = [each for each in _arguments(operation, records) if each.name != _CURSOR]
    text = f"All that `{operation.id}` finds, page after page; `limit` is how many a page has."
    name = f"iter_{operation.id.removeprefix('list_')}"
    told = [
        each.replace(f', "{_CURSOR}": {_CURSOR}', "") for each in given(operation, records, False)
    ]
    head = _head(f"def {name}(", arguments, item, text, False)
    row = f"table.{constant(operation.id)}"
    passed = _passed(f"found: {item} = self._items({row}, Given(", told)
    return f"{head}{passed}        return found\n"


def _stream(operation: Operation, flavour: Flavour, records: dict[str, Record]) -> str:
    arguments = _arguments(operation, records)
    text = f"The same as `{operation.id}`, as a stream of events."
    head = _head(
        f"def {stream_name(operation)}(", arguments, flavour.stream, text, takes_key(operation)
    )
    told = list(given(operation, records, streamed=True))
    return head + _passed(
        f"return self._stream(table.{constant(stream_name(operation))}, Given(", told
    )


def _head(head: str, arguments: list[Argument], result: str, text: str, keyed: bool) -> str:
    positional = [each.declared for each in arguments if each.description == _IN_PATH]
    named = [each.declared for each in arguments if each.description != _IN_PATH]
    keyed_by = ["idempotency_key: str | None = None"] if keyed else []
    rest = [*sorted(named, key=_is_optional), *keyed_by, "timeout: float | None = None"]
    declared = ["self", *positional, "*", *rest]
    return "\n" + called("    ", head, declared, f") -> {result}:") + docstring(text, " " * 8)


def _passed(head: str, told: list[str]) -> str:
    """The call, laid out as a formatter would lay it out."""
    flat = f"        {head}{', '.join(told)}))\n"
    if len(flat) <= 101:
        return flat
    outer, _, inner = head.rpartition(", ")
    start, _, row = outer.rpartition("(")
    one = f"            {row}, {inner}{', '.join(told)})\n"
    if len(one) <= 101:
        return f"        {start}(\n{one}        )\n"
    body = called(" " * 12, inner, told, "),")
    return f"        {start}(\n            {row},\n{body}        )\n"


_IN_PATH = "(path)"


def _arguments(operation: Operation, records: dict[str, Record]) -> list[Argument]:
    in_path = [
        Argument(each.name, each.wire, each.annotation, True, _IN_PATH)
        for each in path_arguments(operation)
    ]
    files = file_arguments(operation)
    told = Argument("progress", "", "Progress", False, "Called as the bytes leave.")
    return [
        *in_path,
        *query_arguments(operation, records),
        *files,
        *body_arguments(operation, records),
        *([told] if files else []),
    ]


def _is_optional(declared: str) -> bool:
    return declared.endswith("= None")


def _told(operation: Operation, arguments: list[Argument]) -> str:
    text = operation.description or operation.summary
    rows = [
        f"    {each.name}: {each.description}"
        for each in arguments
        if each.description and each.description != _IN_PATH
    ]
    return text + ("\n\nArgs:\n" + "\n".join(rows) if rows else "")


def _result(operation: Operation) -> str:
    found = returned(operation)
    if isinstance(found, Named):
        return f"models.{found.name}"
    return f"models.{alias_of(operation)}" if found is not None else "None"
