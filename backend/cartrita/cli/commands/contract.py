"""`cartrita contract`: write the generated files, the contracts and the configuration reference."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from cartrita.app import openapi_document, websocket_document
from cartrita.contract.model import Contract
from cartrita.contract.python.files import python_files
from cartrita.contract.typescript.files import typescript_files
from cartrita.contract.walker import contract_of
from cartrita.settings import Settings, render_reference

_CLIENTS: Final[tuple[Callable[[Contract], Mapping[str, str]], ...]] = (
    python_files,
    typescript_files,
)
"""What writes the files of a client, by their paths in the checkout: one for each language."""


def run(_: Settings, given: argparse.Namespace) -> None:
    """Write the files into a checkout; the same code always writes the same bytes."""
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
        "frontend-contract/openapi.json": _rendered(openapi),
        "frontend-contract/asyncapi.json": _rendered(asyncapi),
        "docs/configuration.md": render_reference().encode(),
        **{name: text.encode() for name, text in clients.items()},
    }


def _rendered(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"
