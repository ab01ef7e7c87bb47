"""What a model may cite of the files that it is told of, listed before what was asked."""

from typing import Final

from msgspec.structs import replace

from cartrita.agents.output_bounds import bounded_sources
from cartrita.agents.sources import SourceList
from cartrita.application.files.context import FilledMessages
from cartrita.domain.messages import Message, Role, Text
from cartrita.tools.search_files import source_of

_LONGEST: Final = 4_000
_CITE: Final = "[The reader is shown these sources; cite as [n] those that you use:\n{listed}\n]"


def with_sources(filled: FilledMessages, sources: SourceList) -> tuple[Message, ...]:
    """The messages with the list in the last one of the user; `sources` number what is in it."""
    listed = sources.offer(bounded_sources(map(source_of, filled.passages), _LONGEST))
    if not listed:
        return filled.messages
    messages = list(filled.messages)
    last = max(place for place, one in enumerate(messages) if one.role is Role.USER)
    note = Text(_CITE.format(listed=listed))
    parts = messages[last].parts
    messages[last] = replace(messages[last], parts=(*parts[:-1], note, *parts[-1:]))
    return tuple(messages)
