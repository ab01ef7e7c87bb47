"""The fake provider answers OpenAI's wire as scripted, keeps a record, and goes when we go."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.harness.fake_provider.client import Reply, ask, body, eventually, read_until, send
from tests.harness.fake_provider.content import expected_reasoning, expected_text
from tests.harness.fake_provider.faults import ReplacedResponse, Stall
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script, ToolCall, directive

SEED = 7
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tests.harness.fake_provider"]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(seed=SEED, models=["gpt-x"]) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


def text_of(reply: Reply, field: str = "content", choice: int = 0) -> str:
    deltas = [
        part["delta"]
        for chunk in reply.chunks()
        for part in chunk["choices"]
        if part["index"] == choice
    ]
    return "".join(delta.get(field, "") for delta in deltas)


def test_a_stream_is_made_of_the_chunks_of_the_vendor(fake: FakeProvider) -> None:
    options = {"include_usage": True}
    reply = ask(fake, body("hello", model="gpt-x", stream=True, stream_options=options))

    assert (reply.status, reply.end) == (200, "complete")
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    first, *middle, last, usage = reply.chunks()
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert all(set(chunk["choices"][0]["delta"]) == {"content"} for chunk in middle)
    assert last["choices"][0] | {"logprobs": 0} == {
        "index": 0, "delta": {}, "logprobs": 0, "finish_reason": "stop",
    }  # fmt: skip
    assert text_of(reply) == expected_text(Script(), "hello", SEED)
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == len(middle) == 12
    assert usage["usage"]["total_tokens"] == usage["usage"]["prompt_tokens"] + 12
    for chunk in (first, *middle, last):
        assert chunk["usage"] is None
        for name in ("id", "created", "model", "system_fingerprint"):
            assert chunk[name] == usage[name]
    assert usage["model"] == "gpt-x"
    assert usage["object"] == "chat.completion.chunk"


def test_usage_comes_only_where_it_is_asked_for_and_not_kept_back(fake: FakeProvider) -> None:
    plain = ask(fake, body(stream=True))
    assert all("usage" not in chunk for chunk in plain.chunks())
    options = {"include_usage": True}
    kept = ask(fake, body("hi", Script(usage=False), stream=True, stream_options=options))
    assert all(chunk["choices"] for chunk in kept.chunks())


def test_a_completion_holds_the_same_text_as_the_stream(fake: FakeProvider) -> None:
    completion = ask(fake, body("hello")).json()
    assert completion["object"] == "chat.completion"
    (choice,) = completion["choices"]
    assert choice["message"]["content"] == text_of(ask(fake, body("hello", stream=True)))
    assert choice["message"]["role"] == "assistant"
    assert choice["finish_reason"] == "stop"
    assert completion["usage"]["completion_tokens"] == 12


def test_limits_stops_and_choices_are_honoured(fake: FakeProvider) -> None:
    script = Script(words=30, tokens_per_delta=4)
    reply = ask(fake, body("a", script, stream=True, max_tokens=10, n=2))
    prompt = "a" + directive(script)
    for choice in (0, 1):
        text = expected_text(script, prompt, SEED, choice=choice, max_tokens=10)
        assert text_of(reply, choice=choice) == text
    finishes = [part["finish_reason"] for c in reply.chunks() for part in c["choices"]]
    assert [finish for finish in finishes if finish] == ["length", "length"]

    stopped = ask(fake, body("a", Script(text="one two. three."), stop=["."], n=1)).json()
    assert stopped["choices"][0]["message"]["content"] == "one two"
    assert stopped["choices"][0]["finish_reason"] == "stop"


def test_words_depend_on_seed_and_prompt_or_on_the_seed_of_the_script_alone() -> None:
    script = Script(words=50)
    assert expected_text(script, "a", 1) == expected_text(script, "a", 1)
    assert len({expected_text(script, p, s) for p in "ab" for s in (1, 2)}) == 4
    fixed = Script(words=50, seed=5)
    assert expected_text(fixed, "a", 1) == expected_text(fixed, "b", 2)


def test_reasoning_precedes_the_text_in_a_field_of_its_own(fake: FakeProvider) -> None:
    script = Script(reasoning_words=9, words=3, reasoning_field="reasoning")
    reply = ask(fake, body("r", script, stream=True))
    prompt = "r" + directive(script)
    assert text_of(reply, "reasoning") == expected_reasoning(script, prompt, SEED)
    assert text_of(reply) == expected_text(script, prompt, SEED)
    kinds = [next(iter(chunk["choices"][0]["delta"]), "") for chunk in reply.chunks()]
    assert kinds == ["role"] + ["reasoning"] * 9 + ["content"] * 3 + [""]


def test_tool_calls_are_made_once_in_pieces_and_answered_with_words(fake: FakeProvider) -> None:
    calls = (
        ToolCall(name="look_up", arguments={"q": "the weather in Cork"}, id="call_1"),
        ToolCall(name="broken", arguments='{"half": '),
    )
    script = Script(tool_calls=calls)
    request = body("t", script, stream=True)
    reply = ask(fake, request)
    deltas = [c["choices"][0]["delta"].get("tool_calls", []) for c in reply.chunks()]
    arguments = ["", ""]
    for delta in (delta for deltas in deltas for delta in deltas):
        arguments[delta["index"]] += delta["function"]["arguments"]
    assert arguments == ['{"q":"the weather in Cork"}', '{"half": ']
    assert reply.chunks()[-1]["choices"][0]["finish_reason"] == "tool_calls"

    question = {"role": "user", "content": "t" + directive(script)}
    message = ask(fake, body(messages=[question])).json()["choices"][0]["message"]
    assert message["content"] is None
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["look_up", "broken"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
        for call in message["tool_calls"]
    ]
    said = [{name: message[name] for name in ("role", "content", "tool_calls")}, *results]
    answer = ask(fake, body(messages=[question, *said])).json()["choices"][0]
    text = expected_text(script, "t" + directive(script), SEED, after_tool=True)
    assert answer["message"]["content"] == text != ""


def test_the_script_is_the_queued_one_then_the_bound_the_written_the_default_the_models(
    fake: FakeProvider,
) -> None:
    def answer(*written: Script, model: str = "fake-echo") -> str:
        completion = ask(fake, body("hi", *written, model=model)).json()
        return completion["choices"][0]["message"]["content"]

    written = Script(text="written")
    assert answer() == "hi"
    fake.script(Script(text="default"), default=True)
    assert answer() == "default"
    assert answer(written) == "written"
    fake.script(Script(text="bound"), model="brand-new")
    assert answer(written, model="brand-new") == "bound"
    fake.script(Script(text="queued"), times=2)
    assert [answer(written, model="brand-new") for _ in range(3)] == ["queued"] * 2 + ["bound"]
    fake.reset()
    assert answer() == "hi"
    assert ask(fake, body(model="brand-new")).status == 404


def test_several_directives_are_met_one_after_the_other(fake: FakeProvider) -> None:
    flaky = body("again", Script(faults=(ReplacedResponse(status=503),)), Script(text="fine"))
    assert [ask(fake, flaky).status for _ in range(3)] == [503, 200, 200]


@pytest.mark.parametrize(
    "written",
    ["[[script nonsense]]", '[[script {"wrods": 3}]]', '[[script {"words": 3}', "[[script "],
)
def test_a_malformed_directive_is_refused_and_not_overlooked(
    fake: FakeProvider, written: str
) -> None:
    reply = ask(fake, body(written))
    assert (reply.status, reply.json()["error"]["code"]) == (400, "invalid_script")


def test_a_malformed_assignment_is_refused(fake: FakeProvider) -> None:
    reply = ask(fake, {"script": {"text": 3}}, path="/_script")
    assert (reply.status, reply.json()["error"]["code"]) == (400, "invalid_script")
    assert ask(fake, {}, path="/_requests").status == 405


def test_requests_are_recorded_as_they_came(fake: FakeProvider) -> None:
    ask(fake, body("first", stream=True))
    ask(fake, body("second", temperature=3))
    first, second = fake.requests()
    assert (first.method, first.path, first.status) == ("POST", "/v1/chat/completions", 200)
    assert first.header("AUTHORIZATION") == "Bearer sk-faked"
    assert '"content":"first"' in first.body
    assert (first.outcome, first.tokens_sent, first.script) == ("complete", 12, Script())
    assert first.headers_at and first.first_token_at and first.ended_at  # noqa: PT018
    assert first.received_at <= first.headers_at <= first.first_token_at <= first.ended_at
    assert (second.status, second.outcome, second.tokens_sent) == (400, "complete", 0)
    assert fake.requests(second.number) == [second]
    assert fake.requests(second.number + 1) == []
    assert fake.begun() == second.number + 1
    fake.reset()
    assert (fake.requests(), fake.begun()) == ([], second.number + 1)


def test_a_client_that_leaves_is_noticed_at_once_and_its_stream_closed(fake: FakeProvider) -> None:
    connection = send(
        fake, body("x", Script(words=10, faults=(Stall(after_tokens=3),)), stream=True)
    )
    read_until(connection, b'"content":"', times=4)
    assert fake.open_streams() == 1
    connection.close()
    eventually(lambda: fake.open_streams() == 0)
    (exchange,) = fake.requests()
    assert (exchange.outcome, exchange.tokens_sent) == ("disconnected", 3)
    eventually(lambda: fake.open().connections == 0)


def test_a_connection_carries_one_request_after_the_other(fake: FakeProvider) -> None:
    with send(fake, body("one", stream=True)) as connection:
        read_until(connection, b"[DONE]\n\n\r\n0\r\n\r\n")
        payload = b'{"model":"fake","messages":[{"role":"user","content":"two"}]}'
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer sk-faked\r\n"
            b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (payload[:5], len(payload) - 5, payload[5:])
        )
        assert b"chat.completion" in read_until(connection, b"total_tokens")
    assert [exchange.status for exchange in fake.requests()] == [200, 200]


def test_three_hundred_streams_at_once_end_with_their_own_text(fake: FakeProvider) -> None:
    script = Script(words=20, between_tokens_s=0.02, jitter_s=0.02)
    fake.script(script, times=300)
    connections = [send(fake, body(f"prompt {n}", stream=True)) for n in range(300)]
    for number, connection in enumerate(connections):
        with connection:
            received = read_until(connection, b"[DONE]").decode()
        pieces = [line.partition('"content":"')[2] for line in received.split("data: ")]
        text = "".join(piece.partition('"')[0] for piece in pieces)
        assert text == expected_text(script, f"prompt {number}", SEED)


def test_three_hundred_hanging_streams_are_all_open_and_all_closed(fake: FakeProvider) -> None:
    fake.script(Script(faults=(Stall(after_tokens=5),)), times=300)
    connections = [send(fake, body(f"prompt {n}", stream=True)) for n in range(300)]
    for connection in connections:
        read_until(connection, b'"content":"', times=6)
    assert fake.open_streams() == 300
    for connection in connections:
        connection.close()
    eventually(lambda: fake.open_streams() == 0)
    assert {exchange.outcome for exchange in fake.requests()} == {"disconnected"}
    assert {exchange.tokens_sent for exchange in fake.requests()} == {5}


def test_it_ends_with_its_block_even_while_a_stream_hangs() -> None:
    with fake_provider() as fake:
        connection = send(fake, body("x", Script(faults=(Stall(),)), stream=True))
        read_until(connection, b"\r\n\r\n")
        pid = fake.pid
    connection.close()
    assert not psutil.pid_exists(pid)


def test_it_ends_when_its_stdin_does() -> None:
    with subprocess.Popen(
        COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"listening on 127.0.0.1:")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def test_it_ends_when_its_parent_is_killed_though_its_stdin_stays_open() -> None:
    parent = (
        f"import subprocess\nfake = subprocess.Popen({COMMAND!r}, stdout=subprocess.PIPE)\n"
        "fake.stdout.readline()\nprint(fake.pid, flush=True)\nfake.wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        eventually(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    """Ended; nobody may be there to collect an orphan."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_fake_that_died_unasked_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="ended with -9"), fake_provider() as fake:
        psutil.Process(fake.pid).kill()
