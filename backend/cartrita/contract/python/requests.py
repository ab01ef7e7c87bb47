"""Writes the fields of a message, for those who pass them on."""

from cartrita.contract.model import Contract, Record
from cartrita.contract.python.layout import docstring, module
from cartrita.contract.python.parameters import Argument, body_arguments, record_arguments

_IMPORTS = """\
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from cartrita_client.generated import models
"""
_CHAT = "stream_chat"
_FIRST = "message"
_START = "StartFrame"
_FIXED = ("type", "encoding")


def requests_file(contract: Contract) -> str:
    """`generated/requests.py`."""
    records = {
        name: each for name, each in contract.definitions.items() if isinstance(each, Record)
    }
    chat = next(each for each in contract.operations if each.id == _CHAT)
    fields = [each for each in body_arguments(chat, records) if each.name != _FIRST]
    parts = [_class("ChatFields", "of a message beside its text; see `stream_chat`.", fields)]
    if start := records.get(_START):
        fields = [each for each in record_arguments(start, records) if each.name not in _FIXED]
        text = "of how to listen, to answer and to speak; see `models.StartFrame`."
        parts.append(_class("VoiceFields", text, fields))
    return module("What callers pass on as keywords.", _IMPORTS, parts)


def _class(name: str, about: str, fields: list[Argument]) -> str:
    rows = "".join(f"    {each.name}: {each.annotation}\n" for each in fields)
    told = docstring(f"What may be said {about}", "    ")
    return f"\n\nclass {name}(TypedDict, total=False):\n{told}\n{rows}"
