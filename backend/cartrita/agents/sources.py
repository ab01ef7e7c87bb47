"""The sources of a run, numbered in the order in which its tools found them."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from cartrita.domain.events import Event, SourceFound
from cartrita.domain.messages import Citation
from cartrita.tools.tool import Source


class SourceList:
    """Gives each source one number, from 1, however often it is found; an answer cites it `[n]`."""

    def __init__(self, logged: Iterable[Event] = ()) -> None:
        found = [event.citation for event in logged if isinstance(event, SourceFound)]
        self._numbers = {_identity(c.title, c.url): c.index for c in found}
        self._offered: list[Citation] = []

    def numbered(self, citation: Citation) -> Citation:
        """What a model's provider cites, with its number in this run."""
        number = self._number(_identity(citation.title, citation.url))
        return citation if number == citation.index else replace(citation, index=number)

    def add(self, sources: Iterable[Source]) -> tuple[str, list[Citation]]:
        """The list that a model is shown of these, and the citations of those that are new."""
        lines: list[str] = []
        new: list[Citation] = []
        for source in sources:
            identity = _identity(source.title, source.url)
            is_new = identity not in self._numbers
            number = self._number(identity)
            if is_new:
                new.append(Citation(source.title, source.url, source.snippet, number))
            lines.append(f"[{number}] {' '.join(filter(None, (source.title, source.url)))}")
        return "\n".join(lines), new

    def offer(self, sources: Sequence[Source]) -> str:
        """The list of sources that a model has from the beginning, without their addresses.

        They are told when it says something.
        """
        _, new = self.add(sources)
        self._offered.extend(new)
        numbers = (self._number(_identity(each.title, each.url)) for each in sources)
        return "\n".join(f"[{n}] {each.title}" for n, each in zip(numbers, sources, strict=True))

    def take_offered(self) -> list[Citation]:
        """Those that are not told yet, which the caller does now."""
        taken, self._offered = self._offered, []
        return taken

    def _number(self, identity: str) -> int:
        following = max(self._numbers.values(), default=0) + 1
        return self._numbers.setdefault(identity, following)


def _identity(title: str, url: str | None) -> str:
    return url or title
