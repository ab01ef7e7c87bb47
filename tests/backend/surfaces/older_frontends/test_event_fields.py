"""Frames carry flat fields, however a stream is cut into pieces."""

import json

import pytest

from cartrita.surfaces.older_frontends.event_fields import FlatFrames, with_flat_fields

TOKEN = '{"event":"token","data":{"content":"He\\nl","delta":"He\\nl","position":0}}'
ERROR = '{"event":"error","data":{"error":"It \\"broke\\".","code":"x"}}'
DONE = '{"event":"done","data":{"final_response":"He\\nl"}}'
STREAM = f"retry: 1\nid: r.0\n\nid: r.1\ndata: {TOKEN}\n\n: \n\nid: r.2\ndata: {DONE}\n\n"


@pytest.mark.parametrize(
    ("event", "flat"),
    [
        (TOKEN, {"type": "content", "content": "He\nl"}),
        (DONE, {"type": "content", "content": ""}),
        (ERROR, {"type": "error", "content": "", "error": 'It "broke".'}),
    ],
)
def test_flat_fields(event: str, flat: dict[str, str]) -> None:
    assert json.loads(with_flat_fields(event.encode())) == {**json.loads(event), **flat}


@pytest.mark.parametrize("text", [b"", b"[DONE]", b'{"type":"pong"}', b'{"event":1}', b"[]"])
def test_what_is_no_event_stays(text: bytes) -> None:
    assert with_flat_fields(text) == text


def test_a_stream_in_any_pieces() -> None:
    whole = FlatFrames().translate(STREAM.encode())
    assert whole.endswith(b'"type":"content","content":""}\n\ndata: [DONE]\n\n')
    assert whole.count(b"[DONE]") == 1
    assert whole.startswith(b"retry: 1\nid: r.0\n\nid: r.1\ndata: ")
    assert b"\n\n: \n\n" in whole
    for cut in range(len(STREAM)):
        frames = FlatFrames()
        pieces = STREAM[:cut].encode(), STREAM[cut:].encode()
        assert b"".join(map(frames.translate, pieces)) + frames.end() == whole


def test_an_unfinished_line_is_not_lost() -> None:
    frames = FlatFrames()
    assert frames.translate(b"data: {") == b""
    assert frames.end() == b"data: {"
