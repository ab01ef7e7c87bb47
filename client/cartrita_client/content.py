"""What both kinds of download share."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from cartrita_client.answers import failure


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a file before its bytes: its type, its name and its length, if told."""

    media_type: str
    filename: str | None
    length: int | None


def received(status: int, headers: Mapping[str, str]) -> Head:
    """Look at the head of an answer. Raises CartritaError."""
    if status not in (200, 206) or "x-request-id" not in headers:
        raise failure(status, headers, b"")
    length = headers.get("content-length", "")
    told = Message()
    told["Content-Disposition"] = headers.get("content-disposition", "")
    return Head(
        headers.get("content-type", "application/octet-stream"),
        told.get_filename(),
        int(length) if length.isdigit() else None,
    )


@contextmanager
def partial_file(path: Path) -> Generator[BinaryIO]:
    """A file beside the wanted one, which takes its place once it is whole."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
