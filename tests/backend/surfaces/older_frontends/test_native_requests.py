"""Native lists are read page by page, with the caller's credentials, and no further than needed."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.types import Receive, Scope, Send

from cartrita.surfaces.older_frontends.native_requests import NativeRequests, Refused


class List:
    """An application that answers pages of `size` items; a cursor is the next item's number."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        scope["state"]["request_id"] = "inner"
        asked = dict(parse_qsl(scope["query_string"].decode()))
        start, limit = int(asked.get("cursor", 0)), int(asked["limit"])
        end = start + limit
        items = [{"n": number} for number in range(start, min(end, self.size))]
        told: Any = {"items": items, "next_cursor": str(end) if end < self.size else None}
        status = 401 if asked.get("api_key") == "wrong" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    @property
    def queries(self) -> list[str]:
        return [scope["query_string"].decode() for scope in self.scopes]


def requests(app: List, query: bytes = b"") -> tuple[NativeRequests, Scope]:
    """Requests for the caller of one."""
    scope: Scope = {
        "type": "http", "method": "PUT", "path": "/x", "raw_path": b"/x", "query_string": query,
        "headers": [(b"x-api-key", b"ck"), (b"content-length", b"9"), (b"idempotency-key", b"i")],
        "state": {"services": 1},
    }  # fmt: skip
    return NativeRequests(app, scope), scope


async def test_the_page_before() -> None:
    app = List(1000)
    native, scope = requests(app)
    page = await native.page_before("/api/files", b"conversation_id=c&limit=7", 450)
    assert page.next_cursor == "450"
    same = "conversation_id=c&limit="
    assert app.queries == [same + "200", same + "200&cursor=200", same + "50&cursor=400"]
    assert {one["method"] for one in app.scopes} == {"GET"}
    assert {one["path"] for one in app.scopes} == {"/api/files"}
    assert all(one["headers"] == [(b"x-api-key", b"ck")] for one in app.scopes)
    assert scope["state"] == {"services": 1}


async def test_a_list_that_is_shorter() -> None:
    native, _ = requests(List(250))
    page = await native.page_before("/api/files", b"", 900)
    assert (page.next_cursor, len(page.items)) == (None, 50)


async def test_what_is_refused() -> None:
    native, _ = requests(List(250), b"api_key=wrong")
    with pytest.raises(Refused) as told:
        await native.page_before("/api/files", b"api_key=wrong", 900)
    assert told.value.start["status"] == 401
    assert await native.messages("c") == []


async def test_messages_are_read_with_the_key_of_the_query_and_a_thousand_at_most() -> None:
    app = List(5000)
    native, _ = requests(app, b"api_key=ck")
    assert [each["n"] for each in await native.messages("a b")] == list(range(1000))
    assert app.queries[-1] == "api_key=ck&limit=200&cursor=800"
    assert app.scopes[0]["path"] == "/api/conversations/a b/messages"
    assert app.scopes[0]["raw_path"] == b"/api/conversations/a%20b/messages"
