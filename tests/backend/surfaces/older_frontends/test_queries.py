"""Queries with the names of an older frontend become those of the native API."""

from urllib.parse import parse_qsl, quote

import pytest

from cartrita.surfaces.older_frontends.queries import (
    native_query,
    with_parameters,
    without_offset,
)


@pytest.mark.parametrize(
    ("path", "query", "native"),
    [
        ("/api/files", "conversationId=a&limit=2", "conversation_id=a&limit=2"),
        ("/api/agents", "api_key=undefined&x=1", "x=1"),
        ("/api/agents", "api_key=ck_1", "api_key=ck_1"),
        ("/api/agents", "limit=null&cursor=undefined", ""),
        ("/api/conversations", "isArchived=true&isPinned=false", "archived=true&pinned=false"),
        ("/api/search", "q=a&types[]=file&types[]=message", "q=a&types=file,message"),
        ("/api/search", "q=a&types=file&types=all", "q=a"),
        ("/api/search", "q=null&dateRange=week&sortBy=date", "q=null&date_range=week&sort_by=date"),
        ("/api/chat/stream", "message=undefined&conversationId=null", "message=undefined"),
        ("/api/chat/stream", "message=a&tools[]=x&tools[]=y", "message=a&tools=x&tools=y"),
        ("/api/chat/stream", 'message=a&context={"p":1}', 'message=a&metadata={"context":{"p":1}}'),
        (
            "/api/chat/stream",
            'context={"p":1}&metadata={"m":2}&message=a',
            'message=a&metadata={"m":2,"context":{"p":1}}',
        ),
    ],
)
def test_translations(path: str, query: str, native: str) -> None:
    found = native_query(path, quote(query, safe="=&[],_").encode())
    assert parse_qsl(found.decode()) == parse_qsl(native)


@pytest.mark.parametrize(
    "query",
    [
        b"", b"message=a%20b", b"context=%7B%7D&message=a", b"context=[]", b"context={x", b"a&b",
        b"message=%ff&apiKey=undefined", b"a=b&" * 300, b"message=\xff",
    ],
)  # fmt: skip
def test_what_stays_to_the_byte(query: bytes) -> None:
    assert native_query("/api/chat/stream", query) == query


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/api/files", b"limit=2&offset=40", (b"limit=2", 40)),
        ("/api/conversations/a/messages", b"offset=7", (b"", 7)),
        ("/api/conversations", b"offset=-1&limit=1", (b"offset=-1&limit=1", 0)),
        ("/api/conversations", b"offset=9999999999", (b"offset=9999999999", 0)),
        ("/api/search", b"offset=7", (b"offset=7", 0)),
        ("/api/files", b"", (b"", 0)),
    ],
)
def test_offsets(path: str, query: bytes, expected: tuple[bytes, int]) -> None:
    assert without_offset(path, query) == expected


def test_parameters_are_replaced() -> None:
    assert with_parameters(b"limit=1&a=b", limit=200, cursor="x y") == b"a=b&limit=200&cursor=x+y"
