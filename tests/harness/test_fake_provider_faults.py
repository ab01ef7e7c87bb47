"""Each fault that a script can ask for is seen on the socket."""

import gzip
import re
import socket
from collections.abc import Iterator
from typing import Literal

import msgspec
import pytest
from tests.harness.fake_provider.client import Reply, ask, body, eventually, read_until, send
from tests.harness.fake_provider.content import expected_text
from tests.harness.fake_provider.faults import (
    CutOff,
    ErrorEvent,
    Fault,
    Gzip,
    HangBeforeHeaders,
    Headers,
    Html,
    HugeLine,
    InvalidText,
    Junk,
    Lines,
    NoDone,
    Redirect,
    ReplacedResponse,
    Stall,
    Trickle,
)  # fmt: skip
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script

from cartrita.kit.sse import LineTooLong, Parser

TEXT = "one two three four five six"
TOKENS = 6


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


def scripted(*faults: Fault, **fields: object) -> dict[str, object]:
    return body("x", Script(text=TEXT, faults=faults), **fields)


def stream(fake: FakeProvider, *faults: Fault, script: Script | None = None) -> Reply:
    if script is not None:
        return ask(fake, body("x", script, stream=True))
    return ask(fake, scripted(*faults, stream=True))


def completion(fake: FakeProvider, *faults: Fault) -> Reply:
    return ask(fake, scripted(*faults))


def visible(reply: Reply) -> str:
    """The text of whatever whole deltas are in the bytes."""
    return "".join(re.findall(r'"delta":\{"content":"([^"]*)"\}', reply.body.decode()))


@pytest.mark.parametrize("how", ["streamed", "whole"])
def test_another_answer_comes_instead(fake: FakeProvider, how: str) -> None:
    answer = stream if how == "streamed" else completion
    limited = answer(fake, ReplacedResponse(status=429, headers={"Retry-After": "2"}))
    assert (limited.status, limited.headers["retry-after"]) == (429, "2")
    assert limited.json()["error"]["code"] == "rate_limit_exceeded"
    assert answer(fake, ReplacedResponse(status=529)).json()["error"]["type"] == "overloaded_error"
    assert answer(fake, ReplacedResponse(status=418)).json()["error"]["type"] == "server_error"
    odd = answer(fake, ReplacedResponse(status=200, headers={"content-type": "text/x"}, body="ok"))
    assert (odd.status, odd.headers["content-type"], odd.body) == (200, "text/x", b"ok")
    page = answer(fake, Html())
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.body.startswith(b"<!DOCTYPE html>")
    away = answer(fake, Redirect(location="http://127.0.0.1:1/v1/chat/completions", status=308))
    assert (away.status, away.body) == (308, b"")
    assert away.headers["location"] == "http://127.0.0.1:1/v1/chat/completions"


def test_headers_are_set_and_removed(fake: FakeProvider) -> None:
    reply = stream(fake, Headers(set={"X-RateLimit-Remaining": "0", "content-type": ""}))
    assert reply.headers["x-ratelimit-remaining"] == "0"
    assert "content-type" not in reply.headers
    assert visible(reply) == TEXT


def test_it_hangs_before_the_headers(fake: FakeProvider) -> None:
    with send(fake, scripted(HangBeforeHeaders(), stream=True)) as connection:
        eventually(lambda: fake.open_streams() == 1)
        assert_silent(connection)
        assert fake.requests()[0].headers_at is None


def test_it_hangs_after_the_headers_and_after_some_tokens(fake: FakeProvider) -> None:
    with send(fake, scripted(Stall(), stream=True)) as connection:
        assert read_until(connection, b"\r\n\r\n").endswith(b"\r\n\r\n")
        assert_silent(connection)
    with send(fake, scripted(Stall(after_tokens=2), stream=True)) as connection:
        assert b'"content":" two"' in read_until(connection, b'"content":"', times=3)
        assert_silent(connection)
    eventually(lambda: fake.open_streams() == 0)
    assert [exchange.tokens_sent for exchange in fake.requests()] == [0, 2]


def assert_silent(connection: socket.socket) -> None:
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.recv(1)


def test_a_stall_of_some_seconds_goes_on(fake: FakeProvider) -> None:
    assert visible(stream(fake, Stall(after_tokens=2, seconds=0.01))) == TEXT


def test_delays_change_nothing_but_the_time(fake: FakeProvider) -> None:
    script = Script(
        text=TEXT, before_headers_s=0.05, before_first_s=0.05, between_tokens_s=0.01, jitter_s=0.01
    )
    assert visible(stream(fake, script=script)) == TEXT
    (exchange,) = fake.requests()
    assert exchange.headers_at and exchange.first_token_at and exchange.ended_at  # noqa: PT018
    assert exchange.headers_at - exchange.received_at >= 0.05
    assert exchange.first_token_at - exchange.headers_at >= 0.05
    assert exchange.ended_at - exchange.first_token_at >= 0.01 * (TOKENS - 1)


@pytest.mark.parametrize("how", ["rst", "fin", "end"])
def test_an_answer_is_cut_after_tokens_bytes_or_before_its_headers(
    fake: FakeProvider, how: Literal["rst", "fin", "end"]
) -> None:
    end = {"rst": "rst", "fin": "fin", "end": "complete"}[how]
    reply = stream(fake, CutOff(how=how, after_tokens=2))
    assert (reply.status, reply.end, visible(reply)) == (200, end, "one two")
    assert b"[DONE]" not in reply.body

    mid_chunk = stream(fake, CutOff(how=how, after_bytes=500))
    assert (mid_chunk.end, len(mid_chunk.body)) == (end, 500)
    parser = Parser()
    parser.feed(mid_chunk.body)
    assert parser.unfinished

    whole = completion(fake, CutOff(how=how, after_bytes=50))
    assert (whole.status, whole.end, len(whole.body)) == (200, end, 50)

    nothing = stream(fake, CutOff(how=how))
    assert (nothing.status, nothing.end) == (0, "fin" if how == "fin" else "rst")
    assert {exchange.outcome for exchange in fake.requests()} <= {"cut", "complete"}


def test_where_only_the_connection_frames_the_body_a_cut_looks_like_an_end(
    fake: FakeProvider,
) -> None:
    cut = CutOff(how="fin", after_tokens=3)
    reply = stream(fake, script=Script(text=TEXT, framing="close", faults=(cut,)))
    assert reply.end == "complete"
    assert {"transfer-encoding", "content-length"}.isdisjoint(reply.headers)
    assert visible(reply) == "one two three"
    whole = stream(fake, script=Script(text=TEXT, framing="close"))
    assert whole.frames()[-1].data == "[DONE]"


def test_a_stream_may_lack_its_terminal_marker(fake: FakeProvider) -> None:
    reply = stream(fake, NoDone())
    assert reply.end == "complete"
    assert visible(reply) == TEXT
    assert '"finish_reason":"stop"' in reply.frames()[-1].data


def test_an_error_comes_inside_a_200(fake: FakeProvider) -> None:
    reply = stream(fake, ErrorEvent(after_tokens=2))
    assert (reply.status, visible(reply)) == (200, "one two")
    assert reply.frames()[-1].data.startswith('{"error":{"message":"The server had an error')
    going_on = stream(fake, ErrorEvent(after_tokens=2, error={"message": "odd"}, go_on=True))
    assert visible(going_on) == TEXT
    assert '{"error":{"message":"odd"}}' in [frame.data for frame in going_on.frames()]
    assert completion(fake, ErrorEvent()).json()["error"]["type"] == "server_error"


@pytest.mark.parametrize(
    "lines",
    [Lines(end="cr"), Lines(end="crlf"), Lines(end="cr", bom=True), Lines(bom=True)],
)
def test_other_line_ends_and_a_byte_order_mark_are_read_alike(
    fake: FakeProvider, lines: Lines
) -> None:
    reply = stream(fake, lines)
    assert reply.body.startswith(b"\xef\xbb\xbf") is lines.bom
    assert (b"\r" in reply.body) is (lines.end != "lf")
    assert (b"\n" in reply.body) is (lines.end != "cr")
    assert visible(reply) == TEXT
    assert len(reply.frames()) == len(stream(fake).frames())


def test_a_stream_without_blank_lines_holds_no_event(fake: FakeProvider) -> None:
    reply = stream(fake, Lines(blank=False))
    parser = Parser()
    assert parser.feed(reply.body) == []
    assert parser.unfinished


def test_a_huge_line_comes_in_pieces_and_is_too_long(fake: FakeProvider) -> None:
    reply = stream(fake, HugeLine(size=3_000_000, after_tokens=1))
    assert len(reply.body) > 3_000_000
    assert visible(reply) == TEXT
    with pytest.raises(LineTooLong):
        Parser().feed(reply.body)
    assert len(completion(fake, HugeLine(size=100_000)).json()["padding"]) == 100_000


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("invalid_json", '"logprobs":null,"fi'),
        ("unbalanced_json", '"content":"half"'),
        ("not_an_object", '["chunk"]'),
        ("null_choices", '"choices":null'),
        ("no_choices", '"choices":[]'),
        ("null_delta", '"delta":null'),
        ("unknown_event", '{"novel":true}'),
        ("unknown_fields", '"x_vendor":{"deep":[1]}'),
        ("duplicate_index", '"delta":{"content":"dup"}'),
        ("empty_data", ""),
    ],
)
def test_junk_comes_between_the_chunks(
    fake: FakeProvider, what: Literal["invalid_json"], data: str
) -> None:
    ordinary = stream(fake).frames()
    frames = stream(fake, Junk(what=what, after_tokens=2)).frames()
    assert len(frames) == len(ordinary) + 1
    # the role and two tokens come first
    assert data in frames[3].data
    assert frames[3].event == ("vendor.novelty" if what == "unknown_event" else "message")
    if what.endswith("_json"):
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(frames[3].data)
    assert data in completion(fake, Junk(what=what)).body.decode()


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("nul", rb'"\u0000"'),
        ("surrogate", rb'"\ud800"'),
        ("split_pair", rb'"\ud83d"'),
        ("invalid_utf8", b'"\xff\xfe"'),
    ],
)
def test_odd_characters_come_in_deltas(
    fake: FakeProvider, what: Literal["nul"], content: bytes
) -> None:
    reply = stream(fake, InvalidText(what=what, after_tokens=3))
    assert b'"delta":{"content":%b}' % content in reply.body
    assert completion(fake, InvalidText(what=what)).body.count(content[:6]) == 1


def test_the_expected_text_knows_where_the_odd_ones_stand(fake: FakeProvider) -> None:
    faults = (
        InvalidText(what="nul", after_tokens=4),
        InvalidText(what="split_pair", after_tokens=1),
    )
    never = InvalidText(what="nul", after_tokens=99)
    script = Script(text=TEXT, reasoning="hm", tokens_per_delta=2, faults=(*faults, never))
    reply = stream(fake, script=script)
    # one token of reasoning, then two tokens a delta
    assert re.sub(r"\\u\w{4}", "?", visible(reply)) == "??one two? three four five six"
    assert expected_text(script, "x", odd="?") == "??one two? three four five six"


def test_a_body_comes_compressed(fake: FakeProvider) -> None:
    reply = stream(fake, Gzip())
    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.body).endswith(b"data: [DONE]\n\n")
    bomb = completion(fake, Gzip(bomb_bytes=64 << 20))
    assert len(bomb.body) < 1 << 20
    assert len(gzip.decompress(bomb.body)) > 64 << 20


def test_a_body_comes_byte_by_byte(fake: FakeProvider) -> None:
    plain, trickled = stream(fake), stream(fake, Trickle())
    assert visible(trickled) == TEXT
    assert len(trickled.frames()) == len(plain.frames())
    with send(fake, scripted(Trickle(), stream=True)) as connection:
        raw = read_until(connection, b"0\r\n\r\n")
    # each byte is an HTTP chunk of its own
    assert raw.partition(b"\r\n\r\n")[2].startswith(b"1\r\nd\r\n1\r\na\r\n1\r\nt\r\n1\r\na\r\n")


def test_faults_apply_in_order_to_what_the_one_before_made(fake: FakeProvider) -> None:
    reply = stream(
        fake, Lines(end="cr"), InvalidText(what="nul", after_tokens=1), CutOff(after_tokens=2)
    )
    assert reply.end == "rst"
    assert visible(reply) == r"one\u0000 two"
    assert reply.body.count(b"\n") == 2  # of the odd one, which came after the line ends
