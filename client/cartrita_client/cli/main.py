"""Starts the terminal client, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from cartrita_client.cli import environment
from cartrita_client.cli.arguments import parser
from cartrita_client.cli.printing import harmless, write_what_can_be_written
from cartrita_client.cli.screens import screen
from cartrita_client.client import CartritaApiClient
from cartrita_client.errors import CartritaApiError, CartritaError, TransportError, UnreadableFile

if TYPE_CHECKING:
    from cartrita_client.cli.commands import Command

_NO, _WRONG, _NO_ANSWER, _WAITS, _FILE, _STOPPED = 1, 2, 3, 4, 5, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    write_what_can_be_written()
    try:
        try:
            _run(arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return _STOPPED
    except BrokenPipeError:
        _write_nowhere()
        return _FILE
    except (CartritaError, OSError, ValueError) as problem:
        print(f"cartrita-client: {harmless(_line(problem))}", file=sys.stderr)
        return _code(problem)
    return 0


def _run(arguments: Sequence[str] | None) -> None:
    """The commands need an HTTP client and models, which `--help` does not wait for."""
    given = parser().parse_args(arguments)
    module = import_module("cartrita_client.cli.commands")
    command: Command = module.COMMANDS[given.command]
    url, key = given.url or environment.url(), given.key or environment.key()
    with CartritaApiClient(url, key) as client:
        command(client, screen(given.plain), given)


def _write_nowhere() -> None:
    """Whoever read the output has left: what is still to be written of it is written for nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _line(problem: Exception) -> str:
    text = " ".join(str(problem).split())
    if isinstance(problem, CartritaApiError):
        marks = ", ".join(filter(None, (problem.code, problem.request_id)))
        return f"{text} ({marks})"
    return text


def _code(problem: Exception) -> int:
    match problem:
        case TransportError():
            return _NO_ANSWER
        case UnreadableFile() | OSError():
            return _FILE
        case ValueError():
            return _WRONG
        case CartritaApiError():
            return _NO
        case _:
            return _WAITS
