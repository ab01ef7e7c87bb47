"""`cartrita contract`: write the generated files, the contracts and the configuration reference."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from cartrita.app import openapi_document, websocket_document
from cartrita.settings import Settings, render_reference


def run(_: Settings, given: argparse.Namespace) -> None:
    """Write the files into a checkout; the same code always writes the same bytes."""
    for name, content in generated_files().items():
        path: Path = given.into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def generated_files() -> dict[str, bytes]:
    """Every generated file, by its path in the checkout."""
    return {
        "frontend-contract/openapi.json": _rendered(openapi_document()),
        "frontend-contract/asyncapi.json": _rendered(websocket_document()),
        "docs/configuration.md": render_reference().encode(),
    }


def _rendered(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"
