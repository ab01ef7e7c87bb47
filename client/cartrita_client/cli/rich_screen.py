"""Markdown, tables and bars, with rich."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from cartrita_client.cli.printing import harmless
from cartrita_client.cli.screens import Note, is_yes


class RichScreen:
    """For people's eyes."""

    def __init__(self) -> None:
        self._out = Console()
        self._error = Console(stderr=True)
        self._live: Live | None = None

    def show_answer(self, pieces: Iterable[str]) -> None:
        """Show markdown as it comes; what has scrolled away is shown whole at the end."""
        text = ""
        with Live(console=self._out, refresh_per_second=8, vertical_overflow="visible") as live:
            self._live = live
            for piece in pieces:
                text += harmless(piece)
                live.update(Markdown(text))
        self._live = None

    def show_table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show rows."""
        table = Table(*heads, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(harmless(each).replace("[", "\\[") for each in row))
        self._out.print(table)

    def remark(self, text: str) -> None:
        """Say something beside what was asked for."""
        self._error.print(harmless(text), style="dim", markup=False, highlight=False)

    def agreed(self, question: str) -> bool:
        """Ask whoever sits there, while the answer stands still."""
        if self._live is not None:
            self._live.stop()
        answer = self._out.input(question, markup=False)
        if self._live is not None:
            self._live.start()
        return is_yes(answer)

    @contextmanager
    def progress(self, name: str) -> Generator[Note]:
        """A bar with how much is sent."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, TransferSpeedColumn(), console=self._error) as bars:
            task = bars.add_task(harmless(name), total=None)

            def note(done: int, total: int | None) -> None:
                bars.update(task, completed=done, total=total)

            yield note
