"""`cartrita contract`: write the generated files, or compare the contract with an earlier one."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from cartrita.app import openapi_document, websocket_document
from cartrita.contract.differences import differences
from cartrita.contract.model import Contract
from cartrita.contract.python.files import python_files
from cartrita.contract.typescript.files import typescript_files
from cartrita.contract.walker import contract_of
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings, render_reference

_OPENAPI: Final = Path("frontend-contract/openapi.json")
_ASYNCAPI: Final = Path("frontend-contract/asyncapi.json")
_CLIENTS: Final[tuple[Callable[[Contract], Mapping[str, str]], ...]] = (
    python_files,
    typescript_files,
)
"""What writes the files of a client, by their paths in the checkout: one for each language."""


def run(_: Settings, given: argparse.Namespace) -> None:
    """Write the files into a checkout; the same code always writes the same bytes.

    With `--since` print the changes instead, and exit 1 if one of them breaks clients.
    """
    if given.since is not None:
        _compare(given.since)
        return
    for name, content in generated_files().items():
        path: Path = given.into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def generated_files() -> dict[str, bytes]:
    """Every generated file, by its path in the checkout."""
    openapi, asyncapi = openapi_document(), websocket_document()
    contract = contract_of(openapi, asyncapi)
    clients = {name: text for write in _CLIENTS for name, text in write(contract).items()}
    return {
        str(_OPENAPI): _rendered(openapi),
        str(_ASYNCAPI): _rendered(asyncapi),
        "docs/configuration.md": render_reference().encode(),
        **{name: text.encode() for name, text in clients.items()},
    }


def _compare(folder: Path) -> None:
    """Print what has changed since the contract in a folder."""
    found = differences(_read(folder), contract_of(openapi_document(), websocket_document()))
    for one in found:
        print(f"{'BREAKING' if one.breaking else 'new':8}  {one.place}: {one.what}")
    breaking = sum(one.breaking for one in found)
    print(f"{len(found)} changes since {folder}, {breaking} of them break clients.")
    if breaking:
        sys.exit(1)


def _read(folder: Path) -> Contract:
    """The contract of an earlier version. Raises OperatorError."""
    try:
        documents = [
            msgspec.json.decode((folder / name).read_bytes(), type=dict[str, Any])
            for name in (_OPENAPI.name, _ASYNCAPI.name)
        ]
        return contract_of(*documents)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise OperatorError(f"{folder} holds no contract that can be compared: {error!r}") from None


def _rendered(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"
