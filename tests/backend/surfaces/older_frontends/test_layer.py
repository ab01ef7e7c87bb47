"""The layer before an application: what it translates of HTTP, and what it leaves alone."""

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from cartrita.surfaces.older_frontends.layer import OlderFrontends

JSON = {"content-type": "application/json"}


class Native:
    """An application that answers what it is told to, and remembers what it was asked."""

    def __init__(self, *pieces: bytes, status: int = 200, headers: Mapping[str, str] = JSON):
        self.pieces = pieces
        self.status = status
        self.headers = headers
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.bodies.append((await receive()).get("body", b""))
        scope["state"]["owner_id"] = "ann"
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        length = sum(map(len, self.pieces))
        headers.append((b"content-length", b"%d" % length))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for at, piece in enumerate(self.pieces, 1):
            more = at < len(self.pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})


async def asked(
    native: Native, path: str, method: str = "GET", **fields: Any
) -> tuple[dict[bytes, bytes], list[bytes]]:
    """The headers of an answer through the layer, and the pieces of its body."""
    scope: Scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [], "state": {}, **fields,
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": fields.get("body", b""), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await OlderFrontends(native, most_bytes=1000)(scope, receive, send)
    assert sent[0]["status"] == native.status
    return dict(sent[0]["headers"]), [each["body"] for each in sent[1:]]


async def test_json_in_pieces_has_one_true_length() -> None:
    native = Native(b'{"a"', b":1}", headers={**JSON, "x-request-id": "r"})
    headers, pieces = await asked(native, "/api/providers")
    [body] = pieces
    assert json.loads(body) == {"success": True, "data": {"a": 1}, "a": 1}
    assert headers[b"content-length"] == b"%d" % len(body)
    assert headers[b"x-request-id"] == b"r"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({**JSON, "content-encoding": "gzip"}, gzip.compress(b"{}", mtime=0)),
        ({**JSON, "content-disposition": "attachment"}, b'{"a":1}'),
        ({"content-type": "text/plain"}, b"a"),
        ({"content-type": "audio/mpeg"}, b"a"),
        ({}, b'{"a":1}'),
        (JSON, b""),
    ],
)
async def test_other_answers_are_left_alone(headers: Mapping[str, str], body: bytes) -> None:
    told, pieces = await asked(Native(body, headers=headers), "/api/files/f/content")
    assert (told[b"content-length"], pieces) == (b"%d" % len(body), [body])


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_a_body(status: int) -> None:
    told, pieces = await asked(Native(b"", status=status, headers={"etag": "x"}), "/api/files/f")
    assert (told[b"etag"], pieces) == (b"x", [b""])


@pytest.mark.parametrize("path", ["/v1/models", "/openapi.json", "/"])
async def test_other_paths_are_left_alone(path: str) -> None:
    native = Native(b'{"a":1}')
    _, pieces = await asked(native, path, query_string=b"api_key=undefined")
    assert pieces == [b'{"a":1}']
    assert native.scopes[0]["query_string"] == b"api_key=undefined"


async def test_a_stream_is_sent_as_it_comes() -> None:
    token = b'data: {"event":"token","data":{"content":"a"}}\n\n'
    native = Native(token, token, headers={"content-type": "text/event-stream; charset=utf-8"})
    _, pieces = await asked(native, "/api/chat/stream")
    assert len(pieces) == 2
    assert pieces[0] == pieces[1]
    assert pieces[0].endswith(b'"type":"content","content":"a"}\n\n')


async def test_a_list_whose_walk_is_refused_is_that_refusal() -> None:
    """It does not begin anew, which a frontend that pages would take for more."""
    limited = b'{"error":"Later.","code":"rate_limited"}'
    page = b'{"items":[{"id":"f"}],"next_cursor":"c"}'

    class Limited(Native):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            refused = bool(self.scopes)
            self.status, self.pieces = (429, (limited,)) if refused else (200, (page,))
            await super().__call__(scope, receive, send)

    native = Limited(headers={**JSON, "retry-after": "7"})
    headers, pieces = await asked(native, "/api/files", query_string=b"limit=2&offset=600")
    assert native.status == 429
    assert len(native.scopes) == 2
    assert headers[b"retry-after"] == b"7"
    assert json.loads(pieces[0])["code"] == "rate_limited"


async def test_requests_are_translated() -> None:
    native = Native(b"{}")
    await asked(
        native,
        "/chat",
        "POST",
        query_string=b"apiKey=null&clientMsgId=x",
        headers=[(b"authorization", b"Bearer undefined"), (b"x-api-key", b"ck"), (b"a", b"null")],
        body=b'{"context":{"p":1}}',
    )
    [scope] = native.scopes
    assert (scope["path"], scope["raw_path"]) == ("/api/chat", b"/api/chat")
    assert scope["query_string"] == b"client_msg_id=x"
    assert scope["headers"] == [(b"x-api-key", b"ck"), (b"a", b"null")]
    assert native.bodies == [b'{"metadata":{"context":{"p":1}}}']


async def test_speech_becomes_an_address() -> None:
    """The audio itself, as the native API will send it."""
    native = Native(b"RI", b"FF", headers={"content-type": "audio/mpeg"})
    headers, [body] = await asked(native, "/api/voice/speak", "POST", body=b'{"text":"a"}')
    url = f"data:audio/mpeg;base64,{b64encode(b'RIFF').decode()}"
    assert json.loads(body) == {"success": True, "data": {"audioUrl": url}, "audioUrl": url}
    assert headers[b"content-type"] == b"application/json"


async def test_a_list_that_is_refused_says_why() -> None:
    native = Native(b'{"error":"No."}', status=401)
    _, [body] = await asked(native, "/api/files", query_string=b"offset=3")
    assert json.loads(body) == {"success": False, "error": "No."}
    assert [scope["query_string"] for scope in native.scopes] == [b"limit=3"]
