"""Calls are relayed or translated, go to the next deployment when one fails, and are metered."""

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.backend.gateway.fakes import (
    DONE,
    REQUEST,
    Ledger,
    LineMonitor,
    NamedProvider,
    RelayingProvider,
    Time,
    answer_to,
    call,
    create_gateway,
    items_of,
    overloaded,
    relayed_call,
    text_of,
)

from cartrita.dialects.openai_chat import response_parsing
from cartrita.dialects.openai_chat.relay import BodyMonitor, Monitor
from cartrita.dialects.openai_chat.response_parsing import decode_completion
from cartrita.domain.deltas import Accepted, Finished, FinishReason, TextDelta, ToolCallDelta
from cartrita.domain.errors import (
    InvalidInput,
    LeaseLost,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.failovers import Failover
from cartrita.domain.ports.tokens import TokenCount
from cartrita.domain.receipts import Receipt
from cartrita.domain.relays import ModelNames
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RULE_ERROR, SIZE_ERROR, RuleCounter
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import Call
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.metering import Meter
from cartrita.gateway.routes import Route, Target
from cartrita.kit.long_work import LARGE

LOSS = Receipt("logit_bias", "openai_chat", "anthropic_messages", "dropped", "It has none.")


COMPLETION = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"x","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hello"},"finish_reason":"length"}],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":8,"total_tokens":15}}'
)


def unstreamed_call() -> Call:
    """A streamed call, relayed in the dialect of chat completions."""
    asked = relayed_call("a/x")
    assert asked.relay is not None
    relay = replace(asked.relay, monitor=Monitor, body_monitor=BodyMonitor)
    return replace(asked, relay=relay)


def never() -> ModelRequest:
    raise AssertionError("nothing should be parsed")


def routed(*providers: Any, **values: Any) -> Gateway:
    """A gateway whose route `r` has all providers, in order."""
    targets = tuple(Target(f"{one.name}/m") for one in providers)
    return create_gateway(*providers, routes={"r": Route(targets=targets)}, **values)


class TestRelays:
    async def test_it_passes_bytes_on(self) -> None:
        told = RelayingProvider("a", [b"#ping\n", b"Hel\nl", b"o\n.usage\n"])
        gateway = create_gateway(told)
        async with gateway.open(relayed_call("a/x", parse=never)) as answer:
            assert answer.relayed
            assert (answer.provider, answer.model) == ("a", "x")
            assert answer.headers == {"x-request-id": "up-1"}
            assert await items_of(answer) == [b"#ping\nHel\n", b"lo\n.usage\n"]
        assert told.relayed[0].body == b'{"model":"x"}'
        assert told.open == 0

    async def test_a_provider_whose_events_are_misplaced_is_told_of_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(LineMonitor, "misplaced", 5)
        told = RelayingProvider("unordered", [b"Hi\n.\n"], [b"Ho\n.\n"])
        gateway = create_gateway(told)
        with capture_logs() as logs:
            said = [(await answer_to(gateway, relayed_call("unordered/x")))[1] for _ in range(2)]
        assert said == [[b"Hi\n.\n"], [b"Ho\n.\n"]]
        names = [log["provider"] for log in logs if log["event"] == "upstream_events_misplaced"]
        assert names == ["unordered"]

    async def test_another_dialect_is_translated(self) -> None:
        told = RelayingProvider("a", [b"Hi\n.\n"])
        told.dialects = frozenset({"anthropic_messages"})
        answer, items = await answer_to(create_gateway(told), relayed_call("a/x"))
        assert items == [Accepted("a", "x"), TextDelta("a"), DONE]
        assert not answer.relayed
        assert answer.headers == {}

    @pytest.mark.parametrize(
        ("asked", "names"),
        [("a/x", ModelNames("a/x", "x")), ("r", ModelNames("r", "m")), ("m", None)],
    )
    async def test_its_monitor_knows_what_the_model_was_asked_for_as(
        self, asked: str, names: ModelNames | None
    ) -> None:
        gateway = routed(RelayingProvider("a", [b"Hi\n.\n"]))
        answer, _ = await answer_to(gateway, relayed_call(asked))
        assert isinstance(answer.monitor, LineMonitor)
        assert answer.monitor.names == names

    async def test_what_fails_before_anything_is_visible_is_repeated(self) -> None:
        told = RelayingProvider("a", [b"#ping\n", b"!\n"], [b"#ping\n"], [b"Hi\n.\n"])
        _, items = await answer_to(create_gateway(told), relayed_call("a/x"))
        assert items == [b"Hi\n.\n"]
        assert len(told.relayed) == 3

    async def test_strictness_does_not_stop_it(self) -> None:
        told = RelayingProvider("a", [b"Hi\n.\n"])
        _, items = await answer_to(create_gateway(told), relayed_call("a/x", strict=True))
        assert items == [b"Hi\n.\n"]

    async def test_a_route_may_relay_to_one_and_translate_for_the_other(self) -> None:
        one, two = RelayingProvider("a", [overloaded()]), NamedProvider("b")
        answer, items = await answer_to(routed(one, two), relayed_call("r"))
        failed = Failover("a", "m", "upstream_overloaded")
        assert items[0] == Accepted("b", "m", (), (failed,))
        assert answer.failovers == (failed,)

    async def test_its_usage_is_what_the_provider_says(self) -> None:
        told, ledger = RelayingProvider("a", [b"Hi\n.usage\n"], [b"Hi\n.\n"]), Ledger()
        gateway = create_gateway(told, ledger=ledger)
        await answer_to(gateway, relayed_call("a/x"))
        await answer_to(gateway, relayed_call("a/x"))
        reported, estimated = (entry.usage for entry in ledger.entries)
        assert (reported.input_tokens, reported.output_tokens) == (7, 8)
        assert estimated.estimated
        assert estimated.total_tokens

    @pytest.mark.parametrize("reported", [True, False])
    async def test_a_body_in_answer_to_a_streamed_request_comes_as_deltas(
        self, reported: bool
    ) -> None:
        told, ledger = RelayingProvider("a", [COMPLETION[:9], COMPLETION[9:]]), Ledger()
        if not reported:
            told = RelayingProvider("a", [COMPLETION.replace(b'"usage"', b'"other"')])
        told.content = "application/json; charset=utf-8"
        answer, items = await answer_to(create_gateway(told, ledger=ledger), unstreamed_call())
        accepted, text, finished = items
        assert (accepted, text) == (Accepted("a", "x"), TextDelta("Hello"))
        assert isinstance(finished, Finished)
        assert finished.reason is FinishReason.LENGTH
        assert finished.usage.estimated is not reported
        assert not answer.relayed
        assert answer.monitor is None
        (entry,) = ledger.entries
        assert (str(entry.outcome), entry.usage) == ("completed", finished.usage)
        if reported:
            assert (entry.usage.input_tokens, entry.usage.output_tokens) == (7, 8)

    @pytest.mark.parametrize("streamed", [True, False])
    @pytest.mark.parametrize("size", [len(COMPLETION), LARGE])
    async def test_a_large_body_is_read_beside_the_loop(
        self, streamed: bool, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = COMPLETION.replace(b'"usage"', b'"other"').ljust(size)
        threads: list[int] = []

        def decode(data: bytes) -> Any:
            threads.append(threading.get_ident())
            return decode_completion(data)

        monkeypatch.setattr(response_parsing, "decode_completion", decode)
        told = RelayingProvider("a", [body])
        told.content = "application/json"
        asked = unstreamed_call()
        assert asked.relay is not None
        if not streamed:
            asked = replace(asked, streamed=False, relay=replace(asked.relay, monitor=BodyMonitor))
        await answer_to(create_gateway(told), asked)
        assert threads
        beside = size == LARGE
        assert all((thread != threading.get_ident()) is beside for thread in threads)

    @pytest.mark.parametrize(
        "body", [b"{}", b'{"error":{"message":"Busy"}}', COMPLETION.replace(b'"length"', b"null")]
    )
    async def test_a_body_that_is_no_answer_is_a_failure(self, body: bytes) -> None:
        told, ledger = RelayingProvider("a", [body]), Ledger()
        told.content = "application/json"
        with pytest.raises(UpstreamError):
            await answer_to(create_gateway(told, ledger=ledger), unstreamed_call())
        assert {outcome for _, outcome in ledger.outcomes} == {"failed"}
        assert told.open == 0

    async def test_the_usage_of_what_is_too_long_to_keep_is_estimated(self) -> None:
        told, ledger = RelayingProvider("a", [b"x" * 2000 + b"\n.\n"]), Ledger()
        await answer_to(create_gateway(told, ledger=ledger), relayed_call("a/x"))
        assert ledger.entries[0].usage.estimated


class TestModelNames:
    async def test_another_name_that_the_provider_answers_with_is_told(self) -> None:
        told = NamedProvider(
            "p", [Accepted("p", "m", (LOSS,), (), "m-2026"), TextDelta("Hi"), DONE]
        )
        answer, items = await answer_to(create_gateway(told), call("p/m"))
        assert answer.answered_as == "m-2026"
        assert items[0] == Accepted("p", "m", (LOSS,), (), "m-2026")

    @pytest.mark.parametrize(("model", "other"), [("x", None), ("x-2026", "x-2026")])
    async def test_so_is_that_of_a_body_in_answer_to_a_streamed_request(
        self, model: str, other: str | None
    ) -> None:
        body = COMPLETION.replace(b'"model":"x"', f'"model":"{model}"'.encode())
        told = RelayingProvider("a", [body])
        told.content = "application/json"
        _, items = await answer_to(create_gateway(told), unstreamed_call())
        assert items[0] == Accepted("a", "x", answered_as=other)


class TestStrictness:
    async def test_losses_are_told(self) -> None:
        lossy = [Accepted("p", "m", (LOSS,)), TextDelta("Hi"), DONE]
        gateway = create_gateway(NamedProvider("p", lossy))
        answer, items = await answer_to(gateway, call("p/m"))
        assert answer.receipts == (LOSS,)
        assert items[0] == Accepted("p", "m", (LOSS,))
        with pytest.raises(InvalidInput, match="logit_bias"):
            await answer_to(gateway, call("p/m", strict=True))

    async def test_a_request_that_was_not_sent_is_not_in_the_ledger(self) -> None:
        refusing, ledger = NamedProvider("p", [InvalidInput.of("n", "no")]), Ledger()
        with pytest.raises(InvalidInput):
            await answer_to(create_gateway(refusing, ledger=ledger), call("p/m"))
        assert ledger.entries == []


class TestFailover:
    @pytest.mark.parametrize(
        "error",
        [
            UpstreamUnreachable("a", provider="a"),
            UpstreamLimited("a", provider="a", retry_after=60),
            UpstreamMalformed("a", provider="a", retryable=False),
            UpstreamQuota("a", provider="a"),
            UpstreamAuth("a", provider="a"),
            UpstreamCut("a", provider="a"),
            UpstreamRejected("a", provider="a", status=403),
            UpstreamRejected("a", provider="a", status=404),
            overloaded(status=529),
        ],
    )
    async def test_the_next_one_answers_at_once(self, error: UpstreamError) -> None:
        time = Time()
        one, two = NamedProvider("a", [error]), NamedProvider("b")
        answer, items = await answer_to(routed(one, two, time=time), call("r"))
        assert text_of(items) == "b"
        assert answer.failovers == (Failover("a", "m", error.code),)
        assert time.slept == []

    async def test_a_request_that_is_refused_goes_nowhere_else(self) -> None:
        one = NamedProvider("a", [UpstreamRejected("a", provider="a", status=400)])
        two = NamedProvider("b")
        with pytest.raises(UpstreamRejected):
            await answer_to(routed(one, two), call("r"))
        assert two.requests == []

    @pytest.mark.parametrize("error", [UpstreamQuota, UpstreamAuth])
    async def test_a_refused_credential_is_not_tried_again(
        self, error: type[UpstreamError]
    ) -> None:
        told = NamedProvider("a", [error("a", provider="a")])
        with pytest.raises(error):
            await answer_to(create_gateway(told), call("a/m"))
        assert len(told.requests) == 1

    async def test_all_are_tried_in_rounds(self) -> None:
        time = Time()
        failing = [NamedProvider(name, [overloaded()]) for name in "abcd"]
        with pytest.raises(UpstreamError):
            await answer_to(routed(*failing, time=time), call("r"))
        assert [len(one.requests) for one in failing] == [1, 1, 1, 1]
        one, two = NamedProvider("a", [overloaded()], [DONE]), NamedProvider("b", [overloaded()])
        answer, _ = await answer_to(routed(one, two, time=time), call("r"))
        assert [failed.provider for failed in answer.failovers] == ["a", "b"]
        assert len(time.slept) == 1

    async def test_who_asked_for_a_pause_comes_last_in_the_next_round(self) -> None:
        one = NamedProvider("a", [overloaded(5)])
        two = NamedProvider("b", [overloaded()], [TextDelta("b"), DONE])
        _, items = await answer_to(routed(one, two), call("r"))
        assert text_of(items) == "b"
        assert len(one.requests) == 1

    async def test_an_overloaded_provider_is_not_asked_for_another_model_first(self) -> None:
        targets = (Target("a/m"), Target("a/n"), Target("b/m"))
        one, two = NamedProvider("a", [overloaded(status=529)]), NamedProvider("b")
        gateway = create_gateway(one, two, routes={"r": Route(targets=targets)})
        await answer_to(gateway, call("r"))
        assert len(one.requests) == 1

    async def test_no_attempt_begins_once_its_run_is_another_servers(self) -> None:
        one, two = NamedProvider("a", [overloaded()]), NamedProvider("b")

        def before_attempt() -> None:
            if one.requests:
                raise LeaseLost("It is of another server.")

        with pytest.raises(LeaseLost):
            await answer_to(routed(one, two), call("r", before_attempt=before_attempt))
        assert (len(one.requests), len(two.requests)) == (1, 0)

    async def test_no_attempt_begins_after_the_deadline(self) -> None:
        time = Time()

        class Slow(NamedProvider):
            def stream(self, request: ModelRequest) -> Any:
                time.now += 50
                return super().stream(request)

        one, two = Slow("a", [overloaded()]), Slow("b", [overloaded()])
        with pytest.raises(UpstreamError):
            await answer_to(routed(one, two, time=time), call("r", seconds=40))
        assert (len(one.requests), len(two.requests)) == (1, 0)


class TestTheLedger:
    async def test_every_call_is_in_it_once(self) -> None:
        ledger, time = Ledger(), Time()
        one = NamedProvider("a", [overloaded()])
        gateway = routed(one, NamedProvider("b"), ledger=ledger, time=time)
        await answer_to(gateway, call("r", key_id="k", surface="openai"))
        assert ledger.outcomes == [("a", "failed"), ("b", "completed")]
        failed, done = ledger.entries
        assert (failed.usage.input_tokens, failed.usage.estimated) == (4, True)
        assert failed.first_token_seconds is None
        assert done.usage == DONE.usage
        assert (done.owner_id, done.key_id, done.surface) == ("o", "k", "openai")
        assert done.first_token_seconds == 0.0

    async def test_also_when_the_client_leaves(self) -> None:
        ledger = Ledger()
        endless: Sequence[Any] = [TextDelta("more ") for _ in range(100)]
        told = NamedProvider("a", endless)
        async with create_gateway(told, ledger=ledger).open(call("a/m")) as answer:
            await anext(answer.items)
            await anext(answer.items)
            assert told.open == 1
        assert told.open == 0
        assert ledger.outcomes == [("a", "cancelled")]
        assert ledger.entries[0].usage.estimated

    async def test_it_knows_the_cost(self) -> None:
        ledger = Ledger()
        meter = Meter(
            ledger, lambda _provider, _model, usage, _: {"all": Decimal(usage.total_tokens)}
        )
        await answer_to(create_gateway(NamedProvider("a"), meter=meter), call("a/m"))
        assert ledger.entries[0].cost == Decimal(2)


class TestRuns:
    async def test_a_route_answers_runs_too(self) -> None:
        gateway = routed(NamedProvider("a", [overloaded()]), NamedProvider("b"))
        deployment = await gateway.resolve(None, "r")
        provider = gateway.provider_for(deployment, route="r")
        assert provider.name == "a"
        request = replace(REQUEST, model=deployment.model)
        async with provider.stream(request) as deltas:
            assert text_of([one async for one in deltas]) == "b"


async def test_nobody_gets_an_answer_without_usage() -> None:
    call_of_tool = ToolCallDelta(0, "c", "name", '{"a": 1}')
    told = NamedProvider("p", [TextDelta("Hi"), call_of_tool, Finished(FinishReason.STOP, Usage())])
    ledger = Ledger()
    _, items = await answer_to(create_gateway(told, ledger=ledger), call("p/m"))
    finished = items[-1]
    assert isinstance(finished, Finished)
    assert finished.usage == Usage(4, 4, estimated=True, error_bound=RULE_ERROR)
    assert ledger.entries[0].usage == finished.usage


@pytest.mark.parametrize(
    ("reported", "told"),
    [
        (Usage(0, 9, reasoning_tokens=2), Usage(4, 9, 0, 0, 2, 0, True, RULE_ERROR)),
        (Usage(7, 0, 3), Usage(7, 1, 3, 0, 0, 0, True, RULE_ERROR)),
        (Usage(7, 9, 3), Usage(7, 9, 3)),
    ],
)
async def test_a_count_that_was_not_reported_is_estimated(reported: Usage, told: Usage) -> None:
    provider = NamedProvider("p", [TextDelta("Hi"), Finished(FinishReason.STOP, reported)])
    ledger = Ledger()
    _, items = await answer_to(create_gateway(provider, ledger=ledger), call("p/m"))
    finished = items[-1]
    assert isinstance(finished, Finished)
    assert finished.usage == ledger.entries[0].usage == told


async def test_an_answer_of_nothing_has_no_output_to_estimate() -> None:
    class Refusing(RuleCounter):
        def count_text(self, model: str, text: str) -> TokenCount:
            raise AssertionError  # which would load a tokenizer for nothing

    provider = NamedProvider("p", [TextDelta(""), Finished(FinishReason.STOP, Usage(7, 0))])
    gateway = create_gateway(provider, meter=Meter(counter=Refusing()))
    _, items = await answer_to(gateway, call("p/m"))
    assert items[-1] == Finished(FinishReason.STOP, Usage(7, 0))


async def test_the_estimate_of_what_is_too_long_to_keep_has_a_wider_bound() -> None:
    for length, bound in ((900, RULE_ERROR), (2000, SIZE_ERROR)):
        ledger = Ledger()
        relay = RelayingProvider("p", [b"x" * length + b"\n", b".\n"])
        await answer_to(create_gateway(relay, ledger=ledger), relayed_call("p/m"))
        usage = ledger.entries[0].usage
        assert (usage.output_tokens, usage.error_bound) == (length // 4, bound)
