"""How the terminal client shows things: as plain text, or with rich where it is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, TypeAlias

from cartrita_client.cli.printing import fit_for

Note: TypeAlias = Callable[[int, "int | None"], None]
"""Called with what was sent, and how much there is."""


class Screen(Protocol):
    """Where answers, tables and progress go; remarks go to the error stream."""

    def show_answer(self, pieces: Iterable[str]) -> None:
        """Show text as it comes."""
        ...

    def show_table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show rows."""
        ...

    def remark(self, text: str) -> None:
        """Say something beside what was asked for."""
        ...

    def agreed(self, question: str) -> bool:
        """Ask whoever sits there."""
        ...

    def progress(self, name: str) -> AbstractContextManager[Note]:
        """Show how far an upload is."""
        ...


class PlainScreen:
    """Text, for pipes and for terminals without rich."""

    def show_answer(self, pieces: Iterable[str]) -> None:
        """Show text as it comes."""
        for piece in pieces:
            print(fit_for(sys.stdout, piece), end="", flush=True)
        print(flush=True)

    def show_table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show rows, with tabs between their columns; heads are for people's eyes only."""
        if sys.stdout.isatty():
            print("\t".join(heads))
        for row in rows:
            cells = (each.replace("\t", " ").replace("\n", " ") for each in row)
            print(fit_for(sys.stdout, "\t".join(cells)))

    def remark(self, text: str) -> None:
        """Say something beside what was asked for."""
        print(fit_for(sys.stderr, text), file=sys.stderr, flush=True)

    def agreed(self, question: str) -> bool:
        """Ask whoever sits there."""
        return is_yes(input(question))

    @contextmanager
    def progress(self, name: str) -> Generator[Note]:
        """Tell at the end how much was sent."""
        sent = 0

        def note(done: int, _: int | None) -> None:
            nonlocal sent
            sent = done

        yield note
        self.remark(f"{name}: {sent} bytes sent.")


def is_yes(answer: str) -> bool:
    """Whether it means yes."""
    return answer.strip().lower() in ("y", "yes")


def screen(plain: bool) -> Screen:
    """The screen for this terminal."""
    if plain or not sys.stdout.isatty() or find_spec("rich") is None:
        return PlainScreen()
    rich: Screen = import_module("cartrita_client.cli.rich_screen").RichScreen()
    return rich
