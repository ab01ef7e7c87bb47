"""Writes everything that is generated: the contract for frontends, the configuration reference."""

from pathlib import Path

import msgspec

from cartrita.app import openapi_document
from cartrita.settings import reference


def write(top: Path) -> None:
    """Write into a checkout; the same code gives the same bytes."""
    for name, content in generated().items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def generated() -> dict[str, bytes]:
    """Every generated file, by its path in the checkout."""
    document = msgspec.json.encode(openapi_document(), order="sorted")
    return {
        "frontend-contract/openapi.json": msgspec.json.format(document, indent=1) + b"\n",
        "docs/configuration.md": reference().encode(),
    }
