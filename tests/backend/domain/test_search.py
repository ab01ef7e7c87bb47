"""Where one reads what a search has found."""

from datetime import UTC, datetime

import pytest

from cartrita.domain.search import SearchHit, SearchKind, url_of


@pytest.mark.parametrize(
    ("kind", "conversation", "url"),
    [
        (SearchKind.AGENT, None, "/api/agents/a b"),
        (SearchKind.FILE, None, "/api/files/a b"),
        (SearchKind.CONVERSATION, "a b", "/api/conversations/a%20b"),
        (SearchKind.MESSAGE, None, "/api/conversations/a%20b"),
        (SearchKind.MESSAGE, "c/d", "/api/conversations/c%2Fd/messages/a b"),
    ],
)
def test_the_address(kind: SearchKind, conversation: str | None, url: str) -> None:
    hit = SearchHit(
        kind=kind,
        id="a b",
        conversation_id=conversation,
        title="",
        snippet="",
        timestamp=datetime(2026, 11, 21, tzinfo=UTC),
        score=1.0,
    )
    assert url_of(hit) == url
