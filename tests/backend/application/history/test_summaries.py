"""Summaries of long histories: when they are made, what of, and what comes of failures."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from tests.backend.application.fakes import FakeMessageStore, claim

from cartrita.agents.agent import Agent
from cartrita.application.history.history import History
from cartrita.application.history.summaries import HistorySummaries
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.messages import (
    Attachment,
    Message,
    MessageStatus,
    Part,
    Refusal,
    Role,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.summaries import Summary

AGENT = Agent(id="a", name="A", type="a", description="", instructions="You help.")


class FakeSummaries:
    """Implements SummaryStore in memory; it may be away."""

    def __init__(self) -> None:
        self.kept: dict[MessageId, Summary] = {}
        self.away = False

    async def first(self, owner_id: str, messages: Sequence[MessageId]) -> Summary | None:
        if self.away:
            raise Unavailable("away")
        return next((self.kept[one] for one in messages if one in self.kept), None)

    async def put(self, owner_id: str, summary: Summary) -> Summary:
        if self.away:
            raise Unavailable("away")
        return self.kept.setdefault(summary.message_id, summary)


class FakeSummarizer:
    """Implements Summarizer: `answer` is what it says, None that it fails."""

    model = "p/m"

    def __init__(self, answer: str | None = "so far") -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.told: list[int] = []

    async def summarize(self, text: str) -> str | None:
        self.asked.append(text)
        return self.answer

    async def used(self, messages: int) -> None:
        self.told.append(messages)


def said(depth: int, *parts: Part) -> StoredMessage:
    role = Role.ASSISTANT if depth % 2 else Role.USER
    return StoredMessage(
        id=MessageId(UUID(int=depth + 1)),
        conversation_id=ConversationId(UUID(int=99)),
        parent_id=None,
        depth=depth,
        message=Message(role, parts or (Text(f"text {depth}"),)),
        status=MessageStatus.COMPLETE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def branch(count: int) -> list[StoredMessage]:
    """So many messages, the latest first; the last is a user's."""
    return [said(depth) for depth in range(count - 1, -1, -1)]


async def sent(
    store: FakeSummaries, summarizer: FakeSummarizer, newest_first: list[StoredMessage]
) -> list[str]:
    summaries = HistorySummaries(store, kept=0.5)
    history = History(
        FakeMessageStore(*newest_first), messages=8, characters=10_000, summaries=summaries
    )
    request = await history.build_request(claim(), AGENT, summarizer)
    return [message.text for message in request.messages]


async def test_a_history_that_fits_is_sent_as_it_is() -> None:
    summarizer = FakeSummarizer()
    assert len(await sent(FakeSummaries(), summarizer, branch(7))) == 7
    assert summarizer.asked == summarizer.told == []


async def test_one_that_does_not_fit_begins_with_a_summary_from_then_on() -> None:
    store, summarizer = FakeSummaries(), FakeSummarizer()
    first, *rest = await sent(store, summarizer, branch(9))
    assert first.endswith("summary of its first 6 messages.]\n\nso far")
    assert rest == ["text 6", "text 7", "text 8"]
    assert summarizer.told == [6]
    again = await sent(store, summarizer, branch(11))
    assert again == [first, "text 6", "text 7", "text 8", "text 9", "text 10"]
    assert len(summarizer.asked) == 1
    later = await sent(store, summarizer, branch(15))
    assert later[0] != first
    assert "[Summary of what came before]\nso far" in summarizer.asked[-1]
    assert "text 6" in summarizer.asked[-1]
    assert "text 5" not in summarizer.asked[-1]


async def test_a_failure_leaves_the_beginning_out() -> None:
    away = FakeSummaries()
    away.away = True
    for store, answer in ((FakeSummaries(), None), (FakeSummaries(), ""), (away, "so far")):
        summarizer = FakeSummarizer(answer)
        texts = await sent(store, summarizer, branch(9))
        assert texts[-1] == "text 8"
        assert "summary" not in texts[0]
        assert not store.kept
        assert summarizer.told == []


async def test_what_is_answered_now_is_in_no_summary() -> None:
    summarizer = FakeSummarizer()
    long = [said(2), said(1, Text("x" * 20_000)), said(0)]
    store = FakeSummaries()
    assert (await sent(store, summarizer, long))[-1] == "text 2"
    assert set(store.kept) == {long[1].id}
    alone = await sent(FakeSummaries(), summarizer, [said(0, Text("y" * 20_000))])
    assert len(alone) == 1


async def test_everything_that_was_said_is_written_out() -> None:
    summarizer = FakeSummarizer()
    parts: tuple[Part, ...] = (
        Refusal("I will not."),
        ToolCall("c", "look", {"at": "it"}),
        ToolResult("c", (Text("seen"),)),
        Attachment("image/png", name="a.png"),
        VendorPart("openai_chat", {}),
        Text("x" * 200_000),
    )
    await sent(FakeSummaries(), summarizer, [*branch(9)[:-2], said(1, *parts), said(0)])
    (asked,) = summarizer.asked
    for told in ('(calls look with {"at":"it"})', "I will not.", "(result: seen)", "(file a.png)"):
        assert told in asked
    assert len(asked) < 130_000
