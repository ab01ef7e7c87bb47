"""Bounds of what the sources and files of a tool's output may add to its text."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from msgspec.structs import replace

from cartrita.domain.messages import Attachment
from cartrita.kit.text import shortened, storable_text
from cartrita.tools.tool import Source

_MOST_SOURCES: Final = 50
_LONGEST_TITLE: Final = 300
_LONGEST_URL: Final = 2_000
_LONGEST_SNIPPET: Final = 1_000
_MOST_ATTACHMENTS: Final = 8
_LONGEST_ATTACHMENTS: Final = 4_000_000


def bounded_sources(sources: Iterable[Source], most: int) -> tuple[Source, ...]:
    """The first of these, whose titles and addresses have `most` characters together.

    A title is shortened; what has an address too long to be told is told without it.
    """
    told: list[Source] = []
    for source in islice(sources, _MOST_SOURCES):
        short = _shortened(source)
        most -= len(short.title) + len(short.url or "")
        if most < 0:
            break
        told.append(short)
    return tuple(told)


def bounded_attachments(attachments: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """The first of these, as many as a model is shown of one call."""
    told: list[Attachment] = []
    left = _LONGEST_ATTACHMENTS
    for attachment in islice(attachments, _MOST_ATTACHMENTS):
        left -= len(attachment.url or "")
        if left < 0:
            break
        told.append(attachment)
    return tuple(told)


def _shortened(source: Source) -> Source:
    url, snippet = source.url, source.snippet
    return replace(
        source,
        title=storable_text(shortened(source.title or url or "", _LONGEST_TITLE)),
        url=storable_text(url) if url and len(url) <= _LONGEST_URL else None,
        snippet=storable_text(shortened(snippet, _LONGEST_SNIPPET)) if snippet else None,
    )
