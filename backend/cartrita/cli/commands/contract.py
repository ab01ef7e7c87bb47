"""`cartrita contract`: write the generated files, OpenAPI contract and configuration reference."""

import argparse
from pathlib import Path

import msgspec

from cartrita.app import openapi_document
from cartrita.settings import Settings, render_reference


def run(_: Settings, given: argparse.Namespace) -> None:
    """Write the files into a checkout; the same code always writes the same bytes."""
    for name, content in generated_files().items():
        path: Path = given.into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def generated_files() -> dict[str, bytes]:
    """Every generated file, by its path in the checkout."""
    document = msgspec.json.encode(openapi_document(), order="sorted")
    return {
        "frontend-contract/openapi.json": msgspec.json.format(document, indent=1) + b"\n",
        "docs/configuration.md": render_reference().encode(),
    }
