"""What is wrong out there becomes one typed error, told once, and never a hang."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, free_port
from tests.typescript.package import Programs
from tests.typescript.proxies import Network, network
from tests.typescript.strangers import (
    Answer,
    events,
    halved,
    page,
    refusal,
    reset,
    sent,
    silence,
    slowly,
    stranger,
    value,
)

pytestmark = pytest.mark.slow

_PLACE = {"conversation_id": "conv_1", "run_id": "run_1", "message_id": "msg_1"}


def told(seq: int, event: str, **data: Any) -> str:
    """An event as the server sends it."""
    return f"id: run_1.{seq}\ndata: " + json.dumps({"event": event, "data": {**_PLACE, **data}})


_START = told(1, "stream_start", agent_type="supervisor", model="m")
_NEWS = told(2, "applause", by="a newer server")
_DONE = told(3, "done", final_response="Here.", agent_type="supervisor", sources=[])


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


def failed(programs: Programs, base: str, what: str, **given: Any) -> dict[str, Any]:
    """The error that it becomes, which one hook was told of."""
    [fact] = programs.run("failures", base=base, key=KEY, what=what, **given)
    assert "error" in fact, fact
    hook = {401: "auth", 429: "rate"}.get(fact["error"].get("status"), "other")
    if fact["error"]["ours"]:
        assert fact["told"] == [f"{hook}: {fact['error']['name']}"]
    return fact["error"]


@pytest.mark.parametrize("what", ["chat", "stream", "agents", "health", "nothing", "content"])
def test_a_web_page_is_not_cartrita(what: str, programs: Programs, net: Network) -> None:
    other = stranger(net, page(200))
    error = failed(programs, other.base, what)
    assert error["name"] == "NotCartritaError"
    assert "base URL" in error["message"]
    assert len(other.asked) == 1


@pytest.mark.parametrize("what", ["chat", "stream", "agents", "content", "nothing"])
@pytest.mark.parametrize("status", [301, 307])
def test_no_key_follows_a_redirect(
    status: int, what: str, programs: Programs, net: Network
) -> None:
    there = stranger(net, value({"response": "Hello"}))
    here = stranger(net, page(status, Location=f"{there.base}/login"))
    error = failed(programs, here.base, what)
    assert (error["name"], error["status"]) == ("NotCartritaError", status)
    assert there.asked == []


@pytest.mark.parametrize("what", ["chat", "stream", "agents"])
def test_a_key_that_no_header_can_hold_is_not_shown(what: str, programs: Programs) -> None:
    base = f"http://127.0.0.1:{free_port()}"
    [fact] = programs.run("failures", base=base, key="ck_secret\nck_secret", what=what)
    assert fact["error"]["name"] == "UnauthenticatedError"
    assert "secret" not in fact["error"]["message"]


@pytest.mark.parametrize("what", ["chat", "stream"])
@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (page(404), "NotCartritaError"),
        (page(400), "NotCartritaError"),
        (page(401), "UnauthenticatedError"),
        (page(403), "ForbiddenError"),
        (page(413), "TooLargeError"),
        (page(429, Retry_After="3600"), "RateLimitedError"),
        (page(502), "UnreachableError"),
        (sent(200, "application/json", "{", {}), "NotCartritaError"),
    ],
    ids=["404", "400", "401", "403", "413", "429", "502", "broken JSON"],
)
def test_an_answer_of_something_on_the_way(
    answer: Answer, name: str, what: str, programs: Programs, net: Network
) -> None:
    options = {"transports": ["sse", "polling"]}
    error = failed(programs, stranger(net, answer).base, what, options=options)
    assert error["name"] == name


@pytest.mark.parametrize("what", ["chat", "stream", "agents", "key", "live"])
def test_a_dead_server(what: str, programs: Programs) -> None:
    options = {"patience": {"run": 200}}
    error = failed(programs, f"http://127.0.0.1:{free_port()}", what, options=options)
    assert error["name"] == "UnreachableError"
    assert error["status"] == 0


@pytest.mark.parametrize("what", ["chat", "stream", "agents", "live"])
def test_a_key_that_is_none(what: str, scenario: Scenario, programs: Programs) -> None:
    [fact] = programs.run("failures", base=scenario.server.base, key="ck_no_key", what=what)
    assert fact["error"]["name"] == "UnauthenticatedError"
    assert fact["error"]["code"] == "unauthenticated"


def test_a_wrong_value_names_its_field(scenario: Scenario, programs: Programs) -> None:
    [fact] = programs.run("failures", base=scenario.server.base, key=KEY, what="wrong")
    assert fact["error"]["name"] == "InvalidError"
    assert list(fact["error"]["errors"]) == ["message"]


@pytest.mark.parametrize("what", ["chat", "agents", "key"])
def test_a_429_is_waited_for_whatever_is_asked(what: str, programs: Programs, net: Network) -> None:
    other = stranger(net, refusal(429, "rate_limited", Retry_After="0"), value({"agents": []}))
    [fact] = programs.run("failures", base=other.base, key=KEY, what=what)
    assert "error" not in fact
    assert len(other.asked) == 2


def test_a_429_of_an_hour_is_told(programs: Programs, net: Network) -> None:
    other = stranger(net, refusal(429, "rate_limited", Retry_After="3600"))
    error = failed(programs, other.base, "agents")
    assert (error["name"], error["retryAfter"], error["retryable"]) == (
        "RateLimitedError",
        3600,
        True,
    )
    assert len(other.asked) == 1


@pytest.mark.parametrize("year", [1999, 2099])
def test_a_wrong_clock_changes_no_waiting(year: int, programs: Programs, net: Network) -> None:
    """A date to come back at is one of the server's clock, of which `Date` tells the time."""
    date = f"Tue, 01 Dec {year} 10:00:00 GMT"
    later = f"Tue, 01 Dec {year} 10:30:00 GMT"
    other = stranger(net, refusal(429, "rate_limited", Date=date, Retry_After=later))
    assert failed(programs, other.base, "agents")["retryAfter"] == 1800


def test_what_may_have_been_done_is_not_asked_again(programs: Programs, net: Network) -> None:
    other = stranger(net, reset)
    assert failed(programs, other.base, "key")["name"] == "UnreachableError"
    assert len(other.asked) == 1


def test_what_has_an_idempotency_key_is_asked_again(programs: Programs, net: Network) -> None:
    other = stranger(net, reset, refusal(503, "draining"), value({"response": "Hello"}))
    [fact] = programs.run("failures", base=other.base, key=KEY, what="chat")
    assert fact["value"] == {"response": "Hello"}
    assert len(other.asked) == 3


def test_an_answer_that_is_cut_is_asked_for_again(programs: Programs, net: Network) -> None:
    other = stranger(net, halved, value({"agents": []}))
    [fact] = programs.run("failures", base=other.base, key=KEY, what="agents")
    assert "error" not in fact
    assert len(other.asked) == 2


def test_an_answer_that_does_not_come(programs: Programs, net: Network) -> None:
    other = stranger(net, silence)
    error = failed(programs, other.base, "agents", options={"timeout": 100})
    assert error["name"] == "TimedOutError"
    assert len(other.asked) == 1


def test_an_abort_is_the_caller_s_own(programs: Programs, net: Network) -> None:
    [fact] = programs.run("failures", base=stranger(net, silence).base, key=KEY, what="aborted")
    assert fact["error"]["name"] == "TimeoutError"
    assert fact["told"] == []


def test_a_stream_that_stalls(programs: Programs, net: Network) -> None:
    other = stranger(net, events("retry: 10", _START, stays=True))
    options = {"patience": {"stall": 50, "run": 2000}, "transports": ["sse"]}
    error = failed(programs, other.base, "stream", options=options)
    assert error["name"] == "StalledError"
    assert other.asked[1].startswith(b"GET /api/runs/run_1/events")


def test_a_run_that_waits_for_long_is_not_given_up(programs: Programs, net: Network) -> None:
    """Heartbeats are a sign of life: patience begins when the connection is lost."""
    waiting = slowly(_START, heartbeats=10, interval_s=0.1)
    other = stranger(net, waiting, events(_DONE, stays=False))
    options = {"patience": {"run": 900}, "transports": ["sse"]}
    [fact] = programs.run("failures", base=other.base, key=KEY, what="stream", options=options)
    assert fact == {"value": "Here.", "told": []}
    assert len(other.asked) == 2


def test_a_question_that_is_not_answered_while_polling(programs: Programs, net: Network) -> None:
    other = stranger(net, value({"run_id": "run_1"}), silence)
    patience = {"stall": 50, "run": 500, "retryDelay": 5}
    options = {"patience": patience, "transports": ["polling"]}
    error = failed(programs, other.base, "stream", options=options)
    assert error["name"] == "TimedOutError"
    assert len(other.asked) >= 2


def test_a_stream_that_never_begins(programs: Programs, net: Network) -> None:
    options = {"patience": {"firstByte": 50}, "transports": ["sse"]}
    error = failed(programs, stranger(net, silence).base, "stream", options=options)
    assert error["name"] == "StalledError"


def test_an_event_of_a_newer_server_is_passed_over(programs: Programs, net: Network) -> None:
    other = stranger(net, events(_START, _NEWS, _DONE, stays=False))
    [fact] = programs.run("failures", base=other.base, key=KEY, what="stream")
    assert fact == {"value": "Here.", "told": []}


def test_an_event_that_is_nothing(programs: Programs, net: Network) -> None:
    other = stranger(net, events("id: run_1.1\ndata: null", stays=False))
    assert failed(programs, other.base, "stream")["name"] == "NotCartritaError"


@pytest.mark.parametrize("what", ["stream", "live"])
@pytest.mark.parametrize("said", ["hello", "null", "7"])
def test_a_socket_of_something_else(said: str, what: str, programs: Programs) -> None:
    [fact] = programs.run("strange_socket", said=said, what=what)
    assert fact["error"]["name"] == "NotCartritaError"


@pytest.mark.parametrize("base", ["/api", "localhost:8000", "not an address", "", "file:///etc"])
@pytest.mark.parametrize("what", ["agents", "stream", "live"])
def test_an_address_that_is_none(what: str, base: str, programs: Programs) -> None:
    [fact] = programs.run("failures", base=base, key=KEY, what=what)
    assert fact["error"]["name"] == "UnusableAddressError"
    assert "http" in fact["error"]["message"]


def test_a_run_that_was_read_to_its_end_has_nothing_left(programs: Programs, net: Network) -> None:
    async def no_content(writer: Any) -> None:
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    [fact] = programs.run("failures", base=stranger(net, no_content).base, key=KEY, what="run")
    assert fact["error"]["name"] == "AlreadyEndedError"


@pytest.mark.parametrize("what", ["upload", "counted"])
def test_a_file_that_is_gone(
    what: str, programs: Programs, scenario: Scenario, tmp_path: Path
) -> None:
    file = tmp_path / "gone.txt"
    file.write_text("It was here.")
    [fact] = programs.run(
        "vanishing", base=scenario.server.base, key=KEY, file=str(file), counted=what == "counted"
    )
    assert fact["error"]["name"] == "UnreadableFileError"
