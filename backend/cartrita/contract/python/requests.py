"""Writes the fields of a message, for those who pass them on."""

from cartrita.contract.model import Contract, Record
from cartrita.contract.python.layout import docstring, module
from cartrita.contract.python.parameters import body_arguments

_IMPORTS = """\
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from cartrita_client.generated import models
"""
_CHAT = "stream_chat"
_FIRST = "message"


def requests_file(contract: Contract) -> str:
    """`generated/requests.py`."""
    records = {
        name: each for name, each in contract.definitions.items() if isinstance(each, Record)
    }
    chat = next(each for each in contract.operations if each.id == _CHAT)
    fields = [each for each in body_arguments(chat, records) if each.name != _FIRST]
    rows = "".join(f"    {each.name}: {each.annotation}\n" for each in fields)
    text = "What may be said of a message beside its text; see `stream_chat`."
    body = f"\n\nclass ChatFields(TypedDict, total=False):\n{docstring(text, '    ')}\n{rows}"
    return module("What callers pass on as keywords.", _IMPORTS, [body])
