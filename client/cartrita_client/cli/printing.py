"""What may be written to a terminal of what models, web pages and file names hold."""

from __future__ import annotations

import io
import sys
from typing import TextIO

_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_DIRECTIONS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_LEFT_OUT = dict.fromkeys({*_CONTROLS, *_DIRECTIONS} - {ord("\n"), ord("\t")})
"""A terminal obeys these: it would move, erase, reorder, or fill the clipboard."""


def harmless(text: str) -> str:
    """The text without what a terminal obeys, but for line ends and tabs."""
    return text.translate(_LEFT_OUT)


def fit_for(stream: TextIO, text: str) -> str:
    """The text as it is, or for a terminal, `harmless`."""
    return harmless(text) if stream.isatty() else text


def write_what_can_be_written() -> None:
    """Have characters that an output's encoding lacks written as `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
