"""Against the fake provider, a process of its own: what it answers, and each way to fail."""

import asyncio
import json
from collections.abc import Callable

import pytest
from tests.backend.adapters.http.servers import answer, saying, serving
from tests.harness.fake_provider.content import expected_reasoning, expected_text
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
)
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, ToolCall

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers import streamed_deltas
from cartrita.adapters.providers.credentials import Bearer, Credential
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.domain.deltas import (
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import ModelRequest, ResponseFormat, Sampling
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool
from cartrita.domain.usage import Usage
from cartrita.kit import sse
from cartrita.kit.secret import Secret

TEXT = "one two three four five six"
PATIENT = Deadlines(connect=20, headers=20, idle=20, total=60)
HASTY = Deadlines(connect=20, headers=0.5, idle=0.5, total=60)

Make = Callable[..., OpenAICompatible]


@pytest.fixture
def make(fake: FakeProvider, http: HttpClient) -> Make:
    def made(
        deadlines: Deadlines = PATIENT,
        *,
        base_url: str = fake.base_url,
        credential: Credential | None = None,
        max_bytes: int = 1 << 20,
        models: tuple[str, ...] = (),
        relays: tuple[str, ...] = (),
    ) -> OpenAICompatible:
        connection = ProviderConnection(
            name="fake",
            base_url=base_url,
            transport=http,
            credential=credential or Bearer(Secret(fake.key)),
            deadlines=deadlines,
            max_bytes=max_bytes,
        )
        return OpenAICompatible(connection, models=models, relays=relays)

    return made


def asking(text: str = "Hello", model: str = "fake", **fields: object) -> ModelRequest:
    message = Message(Role.USER, (Text(text),))
    return ModelRequest(owner_id="o", model=model, messages=(message,), **fields)  # pyright: ignore[reportArgumentType]


async def collect(provider: OpenAICompatible, request: ModelRequest, seen: list[Delta]) -> None:
    async with provider.stream(request) as deltas:
        async for delta in deltas:
            seen.append(delta)  # noqa: PERF401 - what came before an error is wanted too


async def collected(provider: OpenAICompatible, request: ModelRequest | None = None) -> list[Delta]:
    seen: list[Delta] = []
    await collect(provider, request or asking(), seen)
    return seen


async def failing(
    provider: OpenAICompatible, request: ModelRequest | None = None
) -> tuple[list[Delta], UpstreamError]:
    """The deltas before the error, and the error."""
    seen: list[Delta] = []
    with pytest.raises(UpstreamError) as caught:
        await collect(provider, request or asking(), seen)
    assert caught.value.provider == "fake"
    assert caught.value.message.startswith(("fake ", "The account at fake "))
    return seen, caught.value


async def none_open(fake: FakeProvider) -> None:
    """Wait until the server has seen everybody leave."""
    for _ in range(2_000):
        if not fake.open_streams():
            return
        await asyncio.sleep(0.01)
    pytest.fail("Somebody is still connected.")


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_streams_text_reasoning_and_usage(fake: FakeProvider, make: Make) -> None:
    script = Script(words=20, reasoning_words=5)
    fake.script(script)
    deltas = await collected(make())
    assert text(deltas) == expected_text(script, "Hello")
    reasoning = "".join(one.text for one in deltas if isinstance(one, ReasoningDelta))
    assert reasoning == expected_reasoning(script, "Hello")
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].reason is FinishReason.STOP
    assert deltas[-1].usage.output_tokens > deltas[-1].usage.reasoning_tokens > 0
    assert len(deltas) > 20


async def test_what_it_sends_is_accepted_by_a_strict_server(fake: FakeProvider, make: Make) -> None:
    tool = ToolSpec("weather", "Tells it.", {"type": "object", "properties": {}})
    await collected(
        make(),
        asking(
            instructions=(Text("Be brief, in JSON."),),
            tools=(tool,),
            tool_choice=NamedTool("weather"),
            sampling=Sampling(temperature=0.1, top_p=0.9, max_tokens=50, stop=("!",), seed=1),
            response_format=ResponseFormat("json"),
        ),
    )
    (exchange,) = fake.requests()
    assert exchange.status == 200
    assert exchange.path == "/v1/chat/completions"
    assert exchange.header("authorization") == f"Bearer {fake.key}"
    assert exchange.header("accept-encoding") == "identity"
    assert exchange.header("user-agent") == "cartrita"
    assert exchange.header("content-type") == "application/json"
    assert exchange.header("cookie") is None


@pytest.mark.parametrize(
    ("relays", "path"),
    [(("openai_responses",), "/v1/responses"), ((), "/v1/chat/completions")],
)
async def test_tools_that_the_vendor_runs_are_asked_for_where_it_has_them(
    fake: FakeProvider, make: Make, relays: tuple[str, ...], path: str
) -> None:
    search = VendorTool("openai_responses", "web_search", {"type": "web_search"})
    await collected(make(relays=relays), asking(tools=(search,)))
    (exchange,) = fake.requests()
    assert (exchange.status, exchange.path) == (200, path)
    assert ('"web_search"' in exchange.body) is bool(relays)


async def test_tool_calls_arrive_whole(fake: FakeProvider, make: Make) -> None:
    wanted = (ToolCall(name="f", arguments={"a": 1}), ToolCall(name="g", arguments={"b": "ü"}))
    fake.script(Script(tool_calls=wanted))
    tools = tuple(ToolSpec(name, "", {"type": "object"}) for name in "fg")
    deltas = await collected(make(), asking(tools=tools))
    calls = [delta for delta in deltas if isinstance(delta, ToolCallDelta)]
    for index, call in enumerate(wanted):
        pieces = [one for one in calls if one.index == index]
        assert pieces[0].name == call.name
        assert pieces[0].call_id
        assert json.loads("".join(one.arguments for one in pieces)) == call.arguments
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].reason is FinishReason.TOOL_CALL


async def test_lists_models(make: Make) -> None:
    models = await make().models()
    assert {"fake/fake-small", "fake/fake-large"} <= {model.id for model in models}
    configured = await make(models=("own",)).models()
    assert [model.id for model in configured] == ["fake/own"]


async def test_a_list_that_is_none(fake: FakeProvider, make: Make) -> None:
    with pytest.raises(UpstreamRejected):
        await make(base_url=f"http://127.0.0.1:{fake.port}/elsewhere").models()


async def test_a_list_of_something_else(make: Make) -> None:
    async with serving(saying(answer(b'{"data": "x"}'))) as url:
        with pytest.raises(UpstreamMalformed, match="something else"):
            await make(base_url=url).models()


async def test_connections_are_kept_after_an_answer(fake: FakeProvider, make: Make) -> None:
    provider = make()
    for _ in range(5):
        await collected(provider)
    assert fake.open().connections == 1


@pytest.mark.parametrize(
    "fault",
    [
        Lines(end="cr"),
        Lines(end="crlf", bom=True),
        Trickle(size=1),
        NoDone(),
        Junk(what="null_choices", after_tokens=2),
        Junk(what="no_choices", after_tokens=2),
        Junk(what="null_delta", after_tokens=2),
        Junk(what="unknown_event", after_tokens=2),
        Junk(what="unknown_fields", after_tokens=2),
        Junk(what="empty_data", after_tokens=2),
        Stall(after_tokens=3, seconds=0.05),
        Headers(set={"set-cookie": "a=b"}),
    ],
    ids=str,
)
async def test_peculiarities_that_change_nothing(
    fake: FakeProvider, make: Make, fault: Fault
) -> None:
    fake.script(Script(text=TEXT, faults=(fault,)))
    deltas = await collected(make())
    assert text(deltas) == TEXT
    assert isinstance(deltas[-1], Finished)


@pytest.mark.parametrize(
    ("what", "odd"), [("nul", ""), ("surrogate", "\ufffd"), ("invalid_utf8", "\ufffd\ufffd")]
)
async def test_characters_that_nobody_can_store(
    fake: FakeProvider, make: Make, what: str, odd: str
) -> None:
    script = Script(text=TEXT, faults=(InvalidText(what=what, after_tokens=3),))  # pyright: ignore[reportArgumentType]
    fake.script(script)
    assert text(await collected(make())) == expected_text(script, "Hello", odd=odd)


async def test_a_pair_in_two_deltas_is_one_character(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT, faults=(InvalidText(what="split_pair", after_tokens=3),)))
    assert text(await collected(make())).replace("🙂", "") == TEXT


async def test_usage_stays_empty_where_none_is_reported(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT, usage=False))
    deltas = await collected(make())
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].usage == Usage()


@pytest.mark.parametrize("how", ["rst", "fin", "end"])
async def test_a_cut_after_some_words(fake: FakeProvider, make: Make, how: str) -> None:
    fault = CutOff(how=how, after_tokens=3)  # pyright: ignore[reportArgumentType]
    fake.script(Script(text=TEXT, between_tokens_s=0.01, faults=(fault,)))
    seen, error = await failing(make())
    assert type(error) is UpstreamCut
    assert error.retryable
    assert TEXT.startswith(text(seen))
    # A reset may overtake the last bytes, an end in order may not.
    assert how == "rst" or text(seen) == "one two three"


async def test_a_cut_in_the_middle_of_a_chunk(fake: FakeProvider, make: Make) -> None:
    whole = Script(text="🙂🙂🙂🙂")
    fake.script(whole)
    await collected(make())
    size = fake.requests()[-1].bytes_sent
    for where in range(size // 4, size // 2, 37):
        fake.script(
            Script(text="🙂🙂🙂🙂", framing="close", faults=(CutOff(how="end", after_bytes=where),))
        )
        seen, error = await failing(make())
        assert type(error) is UpstreamCut
        assert set(text(seen)) <= {"🙂"}


@pytest.mark.parametrize("fault", [CutOff(how="fin", after_bytes=400), None], ids=["cut", "end"])
async def test_a_cut_between_the_last_word_and_the_end_mark_is_none(
    fake: FakeProvider, make: Make, fault: CutOff | None
) -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    body = f"data: {json.dumps({'choices': [choice]})}\n\n" + ":" * 1_000
    stream = ReplacedResponse(headers={"Content-Type": "text/event-stream"}, body=body)
    fake.script(Script(faults=(stream, fault) if fault else (stream,)))
    deltas = await collected(make())
    assert text(deltas) == "Hi"
    assert isinstance(deltas[-1], Finished)


async def test_a_stall_after_some_words(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT, faults=(Stall(after_tokens=3),)))
    seen, error = await failing(make(HASTY))
    assert type(error) is UpstreamCut
    assert text(seen) == "one two three"
    assert "0.5 s" in error.message
    await none_open(fake)


async def test_a_stall_before_the_first_byte(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT, faults=(Stall(after_tokens=0),)))
    seen, error = await failing(make(HASTY))
    assert type(error) is UpstreamCut
    assert seen == []


async def test_an_answer_that_never_ends(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(words=1000, between_tokens_s=0.01))
    _, error = await failing(make(Deadlines(connect=20, headers=20, idle=20, total=0.3)))
    assert type(error) is UpstreamCut
    assert "did not end" in error.message


async def test_a_server_that_hangs_before_the_headers(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(HangBeforeHeaders(),)))
    seen, error = await failing(make(Deadlines(connect=0.1, headers=0.1)))
    assert type(error) is UpstreamUnreachable
    assert seen == []
    await none_open(fake)


async def test_a_model_that_thinks_may_be_silent_for_longer(fake: FakeProvider, make: Make) -> None:
    script = Script(text=TEXT, faults=(Stall(after_tokens=1, seconds=1.5),))
    fake.script(script, model="gpt-5-fake")
    assert text(await collected(make(HASTY), asking(model="gpt-5-fake"))) == TEXT


async def test_a_cut_before_the_headers(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(CutOff(how="rst"),)))
    seen, error = await failing(make())
    assert type(error) is UpstreamUnreachable
    assert seen == []


async def test_an_error_event_before_and_within_the_text(fake: FakeProvider, make: Make) -> None:
    for after in (0, 3):
        fake.script(Script(text=TEXT, faults=(ErrorEvent(after_tokens=after),)))
        seen, error = await failing(make())
        assert type(error) is UpstreamOverloaded
        assert error.details["upstream_type"] == "server_error"
        assert text(seen) == ("one two three" if after else "")


@pytest.mark.parametrize("what", ["invalid_json", "not_an_object"])
async def test_what_is_no_chunk(fake: FakeProvider, make: Make, what: str) -> None:
    fault = Junk(what=what, after_tokens=2)  # pyright: ignore[reportArgumentType]
    fake.script(Script(text=TEXT, faults=(fault,)))
    seen, error = await failing(make())
    assert type(error) is UpstreamMalformed
    assert text(seen) == "one two"


async def test_a_huge_line(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=TEXT, faults=(HugeLine(after_tokens=2),)))
    seen, error = await failing(make(max_bytes=64 << 20))
    assert type(error) is UpstreamMalformed
    assert "too long" in error.message
    assert text(seen) == "one two"


async def test_the_last_event_of_a_response_repeats_a_long_answer(http: HttpClient) -> None:
    piece = "word " * 3_000
    said = [{"type": "response.output_text.delta", "delta": piece}] * 80
    output = [{"type": "message", "content": [{"type": "output_text", "text": piece * 80}]}]
    response = {"id": "r", "model": "m", "status": "completed", "output": output}
    events = [*said, {"type": "response.completed", "response": response}]
    body = b"".join(sse.frame(json.dumps(event)) for event in events)
    async with serving(saying(answer(body, b"Content-Type: text/event-stream"))) as url:
        connection = ProviderConnection(name="fake", base_url=url, transport=http)
        provider = OpenAICompatible(connection, dialect="openai_responses")
        request = ModelRequest(owner_id="o", model="m", messages=())
        async with provider.stream(request) as deltas:
            heard = [delta async for delta in deltas]
    assert len(body) > 2 * sse.MAX_LINE
    assert text(heard) == piece * 80
    assert isinstance(heard[-1], Finished)


async def test_more_bytes_than_allowed(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(words=5_000))
    _, error = await failing(make(max_bytes=10_000))
    assert type(error) is UpstreamMalformed
    assert "10000 bytes" in error.message


@pytest.mark.parametrize("bomb", [0, 1 << 26])
async def test_a_compressed_answer(fake: FakeProvider, make: Make, bomb: int) -> None:
    fake.script(Script(text=TEXT, faults=(Gzip(bomb_bytes=bomb),)))
    seen, error = await failing(make())
    assert type(error) is UpstreamMalformed
    assert "compressed" in error.message
    assert seen == []


async def test_a_compressed_error_is_still_that_error(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=503), Gzip())))
    _, error = await failing(make())
    assert type(error) is UpstreamOverloaded
    assert error.status == 503


async def test_a_page_with_success_as_status(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(Html(),)))
    _, error = await failing(make())
    assert type(error) is UpstreamMalformed
    assert "web page" in error.message


async def test_a_redirect_is_not_followed(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(Redirect(location=f"http://127.0.0.1:{fake.port}/v1/models"),)))
    _, error = await failing(make())
    assert isinstance(error, UpstreamMalformed)
    assert not error.retryable
    assert [one.path for one in fake.requests()] == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRejected),
        (401, UpstreamAuth),
        (402, UpstreamQuota),
        (403, UpstreamAuth),
        (404, UpstreamRejected),
        (408, UpstreamOverloaded),
        (409, UpstreamOverloaded),
        (422, UpstreamRejected),
        (429, UpstreamLimited),
        (500, UpstreamOverloaded),
        (503, UpstreamOverloaded),
        (529, UpstreamOverloaded),
    ],
)
async def test_refusals(
    fake: FakeProvider, make: Make, status: int, kind: type[UpstreamError]
) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=status),)))
    _, error = await failing(make())
    assert type(error) is kind
    assert error.status == status
    assert fake.key not in error.message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("-1", None), ("soon", None), ("86400", 86400.0), ("9999999", None)],
)
async def test_when_to_come_back(
    fake: FakeProvider, make: Make, value: str, seconds: float | None
) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=429, headers={"Retry-After": value}),)))
    _, error = await failing(make())
    assert error.retry_after == seconds


async def test_a_wrong_key_is_reported_without_the_key(make: Make) -> None:
    _, error = await failing(make(credential=Bearer(Secret("sk-wrong-0123456789"))))
    assert type(error) is UpstreamAuth
    assert "0123456789" not in repr(error.details) + error.message
    assert error.__cause__ is None


async def test_an_error_that_repeats_the_key(fake: FakeProvider, make: Make) -> None:
    body = json.dumps({"error": {"message": f"{fake.key} is not welcome", "type": fake.key}})
    for status in (200, 400, 500):
        fake.script(Script(faults=(ReplacedResponse(status=status, body=body),)))
        _, error = await failing(make())
        assert fake.key not in repr(error.details) + error.message


async def test_an_error_with_an_endless_body(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=500, body="x" * 500_000),)))
    _, error = await failing(make())
    assert type(error) is UpstreamOverloaded


async def test_an_answer_that_was_not_streamed(fake: FakeProvider, make: Make) -> None:
    body = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    fake.script(Script(faults=(ReplacedResponse(body=json.dumps(body)),)))
    assert text(await collected(make())) == "Hi"


async def test_an_answer_ends_with_its_end_mark_although_its_body_does_not(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For keeping the connection nobody waits who wants the answer."""
    monkeypatch.setattr(streamed_deltas, "_LAST_BYTES_SECONDS", 3600)
    chunk = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
        writer.write(head + chunk + b"data: [DONE]\n\n")
        await reader.read()

    async with (
        asyncio.timeout(20),
        serving(say) as base_url,
        make(base_url=base_url).stream(asking()) as deltas,
    ):
        heard = [await anext(deltas), await anext(deltas)]
    assert heard == [TextDelta("Hi"), Finished(FinishReason.STOP, Usage(), None)]


async def test_leaving_closes_the_connection(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(words=10_000, between_tokens_s=0.01))
    async with make().stream(asking()) as deltas:
        await anext(deltas)
        assert fake.open_streams() == 1
    await none_open(fake)
    assert fake.requests()[-1].outcome == "disconnected"


async def test_nobody_answers(make: Make) -> None:
    _, error = await failing(make(base_url="http://127.0.0.1:1/v1"))
    assert type(error) is UpstreamUnreachable
    assert "refused" in error.message


async def test_a_name_that_is_none(make: Make) -> None:
    _, error = await failing(make(base_url="http://no-such-host.invalid/v1"))
    assert type(error) is UpstreamUnreachable
    assert "name is not known" in error.message
