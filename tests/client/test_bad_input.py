"""What goes wrong between a client and a server is one typed error, or heals: it never hangs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.client.both import BOTH, Ask
from tests.client.faulty_proxy import Fault, faulty_proxy
from tests.client.strange_server import Reply, strange_server
from tests.harness.fake_provider.client import eventually
from tests.harness.server import KEY, NOBODY, Server

from cartrita_client import (
    NotCartrita,
    StreamStalled,
    TimedOut,
    Unreachable,
    UnreadableFile,
    kinds,
)

PAGE = Reply(body=b"<!doctype html><title>Welcome</title>", media_type="text/html")
WAYS = {
    "get_me": {},
    "get_usage": {},
    "post_chat": {"message": "Hello."},
    "stream_chat": {"message": "Hello."},
    "upload_file": {"file": ("a.txt", b"Hello.")},
    "create_key": {"name": "a"},
}
ONCE = {"retries": 0, "resumes": 0}
DONE = {
    "final_response": "Hello.", "conversation_id": "c", "message_id": "m", "run_id": "run_1",
    "agent_type": "supervisor", "finish_reason": "stop",
}  # fmt: skip
both = pytest.mark.parametrize("ask", BOTH)
ways = pytest.mark.parametrize("way", sorted(WAYS))


def events(*told: Mapping[str, Any]) -> Reply:
    """A stream of these."""
    frames = [f"id: run_1.{n}\ndata: {json.dumps(one)}\n\n" for n, one in enumerate(told, 1)]
    return Reply(body="".join(frames).encode(), media_type="text/event-stream")


@both
@ways
def test_a_web_page_is_no_server(ask: Ask, way: str) -> None:
    with strange_server(PAGE) as strange, pytest.raises(NotCartrita, match="web page"):
        ask(strange.base, way, **WAYS[way])
    assert len(strange.asked) == 1


@both
@pytest.mark.parametrize("page", [PAGE, Reply(200, b"{}")])
def test_what_answers_a_deletion_with_something_is_no_server(ask: Ask, page: Reply) -> None:
    with strange_server(page) as strange, pytest.raises(NotCartrita, match="base_url"):
        ask(strange.base, "delete_conversation", "c_1")
    assert len(strange.asked) == 1


@both
def test_a_page_is_no_file(ask: Ask) -> None:
    with strange_server(PAGE) as strange, pytest.raises(NotCartrita):
        ask(strange.base, "get_file_content", "file_1")


@both
@pytest.mark.parametrize("status", [404, 405, 200])
def test_other_peoples_json_is_no_answer(ask: Ask, status: int) -> None:
    with strange_server(Reply(status, b'["x"]')) as strange, pytest.raises(NotCartrita):
        ask(strange.base, "get_me")


@both
@ways
def test_a_redirect_is_told_and_no_key_follows_it(ask: Ask, way: str) -> None:
    with strange_server(PAGE) as there:
        moved = Reply(302, headers={"Location": f"{there.base}/login?next=secret"})
        with strange_server(moved) as here, pytest.raises(NotCartrita, match="elsewhere") as told:
            ask(here.base, way, **WAYS[way])
    assert there.asked == []
    assert "next=secret" not in str(told.value)


@both
@ways
def test_a_redirect_is_told_without_its_user(ask: Ask, way: str) -> None:
    moved = Reply(307, headers={"Location": "https://me:secret@example.com/there?next=secret"})
    with strange_server(moved) as here, pytest.raises(NotCartrita) as told:
        ask(here.base, way, **WAYS[way])
    assert "(https://example.com/there)" in str(told.value)
    assert "secret" not in str(told.value)


@both
@ways
def test_nobody_is_there(ask: Ask, way: str) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        ask(NOBODY, way, **WAYS[way], options=ONCE)


@both
@ways
def test_a_key_that_is_not_known(ask: Ask, way: str, server: Server) -> None:
    with pytest.raises(kinds.Unauthenticated) as told:
        ask(server.base, way, **WAYS[way], key="ck_nobodys")
    assert (told.value.status, told.value.code) == (401, "unauthenticated")
    assert told.value.request_id


@both
def test_too_many_requests_are_waited_for(ask: Ask) -> None:
    refused = Reply(429, _envelope("rate_limited"), {"Retry-After": "0.1"})
    with strange_server(refused, Reply(body=b'{"status": "ok"}')) as strange:
        assert ask(strange.base, "get_health").status == "ok"
    assert len(strange.asked) == 2


@both
@pytest.mark.parametrize("year", ["1999", "2099"])
def test_a_clock_that_is_wrong_does_no_harm(ask: Ask, year: str) -> None:
    headers = {
        "Date": f"Fri, 01 Jan {year} 00:00:00 GMT",
        "Retry-After": f"Fri, 01 Jan {year} 00:00:01 GMT",
    }
    refused = Reply(503, _envelope("server_busy"), headers)
    with strange_server(refused, Reply(body=b'{"status": "ok"}')) as strange:
        assert ask(strange.base, "get_health").status == "ok"
    assert len(strange.asked) == 2


@both
@ways
def test_who_asks_to_come_back_much_later_is_not_waited_for(ask: Ask, way: str) -> None:
    refused = Reply(429, _envelope("rate_limited"), {"Retry-After": "3600"})
    with strange_server(refused) as strange, pytest.raises(kinds.RateLimited) as told:
        ask(strange.base, way, **WAYS[way])
    assert told.value.retry_after == 3600
    assert len(strange.asked) == 1


@both
def test_a_key_with_a_limit(ask: Ask, server: Server) -> None:
    limited = ask(server.base, "create_key", key=KEY, name="a", scopes={"requests_per_minute": 1})
    ask(server.base, "get_me", key=limited.key)
    with pytest.raises(kinds.RateLimited) as told:
        ask(server.base, "get_me", key=limited.key, options={"longest_retry_after": 0.5})
    assert told.value.retry_after is not None
    assert told.value.retry_after > 0.5


@both
def test_what_was_cut_is_sent_again_with_the_same_key(ask: Ask) -> None:
    answer = Reply(body=b'{"response": "Hello."}')
    with strange_server(Reply(cut=True), answer) as strange:
        assert ask(strange.base, "post_chat", message="Hello.").response == "Hello."
    first, second = (each.headers["idempotency-key"] for each in strange.asked)
    assert first == second != ""


@both
def test_what_might_be_done_twice_is_not_sent_again(ask: Ask) -> None:
    with strange_server(Reply(cut=True)) as strange, pytest.raises(Unreachable) as told:
        ask(strange.base, "create_key", name="a")
    assert told.value.sent
    assert len(strange.asked) == 1


@both
def test_a_deletion_that_was_cut_may_have_been_done(ask: Ask) -> None:
    gone = Reply(404, _envelope("file_not_found"))
    with strange_server(Reply(cut=True), gone) as strange:
        assert ask(strange.base, "delete_file", "file_1") is None
    refused = Reply(429, _envelope("rate_limited"), {"Retry-After": "0"})
    for nothing_done in ([], [refused]):
        with strange_server(*nothing_done, gone) as strange, pytest.raises(kinds.NotFound):
            ask(strange.base, "delete_file", "file_1")


@both
@pytest.mark.parametrize("way", ["post_chat", "create_key", "get_me"])
def test_who_never_answers(ask: Ask, way: str) -> None:
    with strange_server(Reply(silent=True)) as strange, pytest.raises(TimedOut):
        ask(strange.base, way, **WAYS[way], timeout=0.3, options=ONCE)


@both
@pytest.mark.parametrize("way", ["post_chat", "stream_chat", "get_me"])
def test_an_error_that_never_ends(ask: Ask, way: str) -> None:
    endless = Reply(500, b"<!-- wait -->", media_type="text/html", endless=True)
    with strange_server(endless) as strange, pytest.raises((TimedOut, StreamStalled)):
        ask(strange.base, way, **WAYS[way], timeout=0.3, options=ONCE)


@both
def test_a_proxy_whose_server_is_away(ask: Ask) -> None:
    page = Reply(502, b"<html>Bad gateway</html>", media_type="text/html")
    with strange_server(page, Reply(body=b'{"status": "ok"}')) as strange:
        assert ask(strange.base, "get_health").status == "ok"
    with strange_server(page) as strange, pytest.raises(Unreachable, match="502"):
        ask(strange.base, "get_health", options=ONCE)


@both
def test_an_error_of_a_newer_server_is_read(ask: Ask) -> None:
    refused = Reply(418, _envelope("teapot"))
    with strange_server(refused) as strange, pytest.raises(kinds.CartritaApiError) as told:
        ask(strange.base, "get_me")
    assert (told.value.code, told.value.status) == ("teapot", 418)


@both
def test_an_event_of_a_newer_server_is_passed_over(ask: Ask) -> None:
    told = (
        {"event": "hologram", "data": {"x": 1}},
        {"event": "token", "data": {"delta": "Hello.", "position": 0, "newer": True}},
        {"event": "done", "data": DONE},
    )
    with strange_server(events(*told)) as strange:
        assert ask(strange.base, "stream_chat", message="Hello.").final_response == "Hello."


@both
@pytest.mark.parametrize("body", [b"data: {\n\n", b"data: []\n\n", b"data: nothing\n\n"])
def test_a_stream_of_something_else(ask: Ask, body: bytes) -> None:
    other = Reply(body=body, media_type="text/event-stream")
    with strange_server(other) as strange, pytest.raises(NotCartrita):
        ask(strange.base, "stream_chat", message="Hello.")


@both
def test_a_stream_that_ends_again_and_again(ask: Ask) -> None:
    ended = Reply(body=b"retry: 10\n: later\n\n", media_type="text/event-stream")
    with strange_server(ended) as strange, pytest.raises(Unreachable, match="again and again"):
        ask(strange.base, "stream_chat", message="Hello.", options={"resumes": 2})
    assert len(strange.asked) == 3


@both
def test_a_stream_that_stalls_is_asked_for_again(ask: Ask, server: Server) -> None:
    with faulty_proxy(server.port) as proxy:
        proxy.fault = Fault(events=2, stall=True)
        options = {"silence_timeout": 2.5}
        done = ask(proxy.base, "stream_chat", key=KEY, message="Hello.", options=options)
    assert done.final_response == "One two three four five six seven eight."
    assert proxy.fault.times == 0


@both
def test_a_stream_that_only_stalls(ask: Ask, server: Server) -> None:
    with faulty_proxy(server.port) as proxy:
        proxy.fault = Fault(events=0, stall=True, times=9)
        options = {"silence_timeout": 1.0, "resumes": 3}
        with pytest.raises(StreamStalled):
            ask(proxy.base, "stream_chat", key=KEY, message="Hello.", options=options)


@both
def test_a_proxy_that_holds_a_short_answer_back(ask: Ask, server: Server) -> None:
    with faulty_proxy(server.port) as proxy:
        proxy.fault = Fault(hold=True)
        done = ask(proxy.base, "stream_chat", key=KEY, message="Hello.")
    assert done.finish_reason == "stop"


@both
def test_a_proxy_that_holds_a_long_answer_back(ask: Ask, server: Server) -> None:
    with faulty_proxy(server.port) as proxy:
        proxy.fault = Fault(hold=True)
        options = {"silence_timeout": 1.0, "resumes": 3}
        with pytest.raises(StreamStalled, match="proxy"):
            ask(proxy.base, "stream_chat", key=KEY, message="Go slowly.", options=options)


@both
def test_a_file_that_is_not_there(ask: Ask, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.txt", tmp_path, tmp_path / "a\0b"):
        with strange_server(PAGE) as strange, pytest.raises(UnreadableFile):
            ask(strange.base, "upload_file", file=path)
        assert strange.asked == []


@both
def test_a_file_that_becomes_shorter(ask: Ask, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * 3_000_000)

    def shorten(sent: int, _: int | None) -> None:
        if sent < 1_000_000:
            path.write_bytes(b"")

    with pytest.raises(UnreadableFile, match="changed"):
        ask(server.base, "upload_file", key=KEY, file=path, progress=shorten)


@both
def test_a_file_that_becomes_longer(ask: Ask, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * 3_000_000)

    def lengthen(_: int, __: int | None) -> None:
        with path.open("ab") as file:
            file.write(b"y" * 300_000)

    with pytest.raises(UnreadableFile, match="changed"):
        ask(server.base, "upload_file", key=KEY, file=path, progress=lengthen)


@both
@pytest.mark.parametrize(
    ("reply", "raised", "resumes"),
    [
        (Reply(cut=True), Unreachable, 2),
        (Reply(media_type="text/event-stream", body=b": .\n\n"), Unreachable, 2),
        (Reply(silent=True), StreamStalled, 5),  # a silence counts as four
    ],
)
def test_a_task_whose_stream_broke_is_sent_again_as_the_same(
    ask: Ask, reply: Reply, raised: type[Exception], resumes: int
) -> None:
    options = {"silence_timeout": 0.3, "resumes": resumes}
    with strange_server(reply) as strange:
        with pytest.raises(raised):
            ask(strange.base, "execute_computer_task_stream", task="Tidy up.", options=options)
        eventually(lambda: len(strange.asked) > 1)  # whoever gave up has sent it all the same
    [key] = {each.headers["idempotency-key"] for each in strange.asked}
    assert key


@both
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "gopher://a:secret@127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_is_told(
    ask: Ask, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(Unreachable, match="proxies") as told:
        ask("http://nowhere.invalid", "get_me")
    assert "secret" not in str(told.value)


@both
def test_a_field_that_is_wrong_is_named(ask: Ask, server: Server) -> None:
    with pytest.raises(kinds.Invalid) as told:
        ask(server.base, "post_chat", key=KEY, message="")
    assert told.value.fields["message"]


def _envelope(code: str) -> bytes:
    told = {"detail": "No.", "error": "No.", "code": code, "details": {}, "request_id": "req_1"}
    return json.dumps(told).encode()
