"""Passages of files that a model is told of are sources of what it says of them."""

from collections.abc import Sequence

import pytest
from tests.backend.agents.loop_fixture import LoopFixture, asked, called, said
from tests.backend.application.fakes import FakeMessageStore, stored_message

from cartrita.agents.sources import SourceList
from cartrita.application.files.context import FilledMessages
from cartrita.application.files.offered_sources import with_sources
from cartrita.application.history.history import History
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.events import SourceFound, TextAppended, ToolCalled, UsageRecorded
from cartrita.domain.files import ContentId, FileId
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.passages import FoundPassage, Passage
from cartrita.domain.runs import Claim
from cartrita.kit.ids import uuid7

PASSAGE = FoundPassage(
    file_id=FileId(uuid7()),
    content_id=ContentId(uuid7()),
    name="beds.pdf",
    pages=3,
    passage=Passage(2, 1, 0, "The heliotrope"),
)
NOTE = (
    "[The reader is shown these sources; cite as [n] those that you use:\n"
    "[1] beds.pdf, page 2, passage 1\n]"
)


class CitedFiles:
    """A FileContext whose files hold one passage."""

    async def cited(self, owner_id: str, messages: Sequence[Message]) -> FilledMessages:
        return FilledMessages(tuple(messages), (PASSAGE,))


@pytest.fixture
def fixture() -> LoopFixture:
    fixture = LoopFixture(
        called(("calculator", {"expression": "6*7"})),
        called(("calculator", {"expression": "1+1"}), text="So", first=2),
        said("42."),
    )
    fixture.work._history = History(
        FakeMessageStore(stored_message("Where?")),  # type: ignore[arg-type]
        messages=9,
        characters=999,
        files=CitedFiles(),  # type: ignore[arg-type]
    )
    return fixture


def told(fixture: LoopFixture, claimed: Claim) -> list[int]:
    """Where in the log sources are told."""
    kinds = fixture.kinds(claimed)
    return [place for place, kind in enumerate(kinds) if kind is SourceFound]


async def test_they_are_told_once_before_the_first_words(fixture: LoopFixture) -> None:
    claimed = asked()
    ending = await fixture.ending(claimed)
    kinds = fixture.kinds(claimed)
    assert kinds[:2] == [ToolCalled, UsageRecorded]
    [place] = told(fixture, claimed)
    assert kinds[place + 1] is TextAppended
    assert ending.message is not None
    first = fixture.provider.requests[0].messages[-1]
    assert first == Message(Role.USER, (Text(NOTE), Text("Where?")))
    events, steps = fixture.recorded(claimed)
    fixture.provider.scripts = (said("42."),)
    fixture.queue.events[claimed.run_id] = []
    await fixture.resumed(claimed, events[: place + 4], steps[:3])
    assert SourceFound not in fixture.kinds(claimed)


async def test_what_fails_without_words_has_none(fixture: LoopFixture) -> None:
    fixture.provider.scripts = ([UpstreamRejected("No.", provider="p")],)
    claimed = asked()
    ending = await fixture.ending(claimed)
    assert ending.message is None
    assert told(fixture, claimed) == []


def test_the_last_message_may_be_empty() -> None:
    messages = (Message(Role.USER, (Text("The heliotrope"),)), Message(Role.USER, ()))
    listed = with_sources(FilledMessages(messages, (PASSAGE,)), SourceList())
    assert listed == (messages[0], Message(Role.USER, (Text(NOTE),)))


def test_nothing_is_listed_where_nothing_is_cited() -> None:
    messages = (Message(Role.USER, (Text("Hi"),)),)
    sources = SourceList()
    assert with_sources(FilledMessages(messages, ()), sources) == messages
    assert sources.take_offered() == []
