"""Chunks become deltas: the odd ones too, and nothing that no store can hold."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartrita.dialects.openai_chat.stream_parsing import StreamParser, parse_completion
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> str:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return json.dumps({"id": "x", "choices": [choice], **fields})


def parsed(*data: str) -> list[Delta]:
    parser = StreamParser("fake")
    deltas = [delta for one in data for delta in parser.feed(one)]
    return deltas + parser.end()


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def finished(deltas: list[Delta]) -> Finished:
    assert isinstance(deltas[-1], Finished)
    assert not any(isinstance(delta, Finished) for delta in deltas[:-1])
    return deltas[-1]


STOP = chunk(finish="stop")


def test_an_ordinary_stream() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    deltas = parsed(
        chunk({"role": "assistant", "content": ""}, model="gpt-x"),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        STOP,
        json.dumps({"choices": [], "usage": usage}),
        "[DONE]",
    )
    assert deltas == [
        TextDelta("Hel"),
        TextDelta("lo"),
        Finished(FinishReason.STOP, Usage(3, 2), "gpt-x"),
    ]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_under_either_name(field: str) -> None:
    assert parsed(chunk({field: "hm"}), STOP)[0] == ReasoningDelta("hm")


def test_reasoning_under_both_names_is_read_once() -> None:
    deltas = parsed(chunk({"reasoning_content": "hm", "reasoning": "hm"}), STOP)
    assert deltas[:-1] == [ReasoningDelta("hm")]


def test_content_as_a_list_and_a_refusal() -> None:
    deltas = parsed(
        chunk({"content": [{"type": "text", "text": "a"}, {"type": "other"}]}),
        chunk({"refusal": "No."}),
        STOP,
    )
    assert deltas[:2] == [TextDelta("a"), RefusalDelta("No.")]


def test_citations_are_numbered() -> None:
    annotations = [
        {"type": "url_citation", "url_citation": {"url": "https://a", "title": "A"}},
        {"type": "file_citation"},
        {"type": "url_citation", "url_citation": {"url": "https://b"}},
    ]
    deltas = parsed(chunk({"annotations": annotations}), STOP)
    assert deltas[:-1] == [
        CitationDelta(Citation("A", "https://a", index=1)),
        CitationDelta(Citation("https://b", "https://b", index=2)),
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("tool_calls", FinishReason.TOOL_CALL),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("error", FinishReason.ERROR),
        ("eos_token", FinishReason.STOP),
    ],
)
def test_finish_reasons(value: str, reason: FinishReason) -> None:
    assert finished(parsed(chunk(finish=value))).reason is reason


def test_without_a_finish_reason_it_is_cut_even_after_done() -> None:
    parser = StreamParser("fake")
    parser.feed(chunk({"content": "Hel"}))
    parser.feed("[DONE]")
    assert parser.done
    assert not parser.complete
    with pytest.raises(UpstreamCut) as caught:
        parser.end()
    assert caught.value.provider == "fake"


def test_what_it_does_not_know_is_ignored_and_counted() -> None:
    parser = StreamParser("fake")
    for data in (
        '{"novel": true}',
        '{"choices": null}',
        '{"choices": [null]}',
        "",
        json.dumps({"choices": [{"index": 1, "delta": {"content": "another answer"}}]}),
        json.dumps({"choices": [{"index": None, "delta": None}]}),
        chunk({"content": None, "mood": "calm"}, x_vendor=[1]),
        chunk(finish="novel"),
    ):
        assert parser.feed(data) == []
    assert parser.ignored == 6
    assert finished(parser.end()).reason is FinishReason.STOP


@pytest.mark.parametrize(
    "data",
    [
        '{"choices": [{"delta"',
        '["chunk"]',
        "nonsense",
        '{"choices": "x"}',
        '{"choices": [{"delta": {"content": 5}}]}',
        '{"x":' + "[" * 100_000,
        "[" * 100_000,
    ],
)
def test_what_is_not_a_chat_completion_is_malformed(data: str) -> None:
    with pytest.raises(UpstreamMalformed) as caught:
        StreamParser("fake").feed(data)
    assert caught.value.retryable
    assert "fake" in caught.value.message


class TestText:
    """No text leaves with a NUL or a surrogate, and none is lost."""

    def test_a_pair_split_over_two_chunks_is_one_character(self) -> None:
        deltas = parsed(chunk({"content": "a\ud83d"}), chunk({"content": "\ude42b"}), STOP)
        assert deltas[:-1] == [TextDelta("a"), TextDelta("🙂b")]

    def test_half_a_pair_at_the_end_is_replaced(self) -> None:
        deltas = parsed(chunk({"content": "a\ud83d", "reasoning": "\ud83d"}), STOP)
        assert deltas[:-1] == [TextDelta("a"), ReasoningDelta("\ufffd"), TextDelta("\ufffd")]

    def test_nul_is_dropped_and_an_empty_rest_is_silent(self) -> None:
        deltas = parsed(
            chunk({"content": "\0", "reasoning": "\0"}), chunk({"content": "\ud83d"}), STOP
        )
        assert deltas[:-1] == [TextDelta("\ufffd")]

    @given(
        st.text(
            st.one_of(st.characters(), st.sampled_from("\0\ud800\udbff\udc00\udfff🙂")), max_size=12
        ),
        st.lists(st.integers(0, 12), max_size=6),
    )
    @settings(deadline=None)
    def test_however_it_is_cut(self, content: str, cuts: list[int]) -> None:
        places = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
        pieces = [content[a:b] for a, b in pairwise(places)]
        deltas = parsed(*(chunk({"content": piece, "reasoning": piece}) for piece in pieces), STOP)
        assert text(deltas) == storable_text(content)
        reasoning = "".join(one.text for one in deltas if isinstance(one, ReasoningDelta))
        assert reasoning == storable_text(content)
        assert all(one.text for one in deltas if isinstance(one, TextDelta | ReasoningDelta))


def call(index: int | None, **fields: Any) -> dict[str, Any]:
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return {"index": index, "function": function or None, **fields}


def calls(*pieces: dict[str, Any], finish: str = "tool_calls") -> dict[int, tuple[str, str, str]]:
    """The calls, put together: (id, name, arguments) by index."""
    deltas = parsed(*(chunk({"tool_calls": [piece]}) for piece in pieces), chunk(finish=finish))
    assert finished(deltas).reason is FinishReason.TOOL_CALL
    found: dict[int, tuple[str, str, str]] = {}
    for delta in deltas:
        if isinstance(delta, ToolCallDelta):
            call_id, name, arguments = found.get(delta.index, ("", "", ""))
            assert not (call_id and delta.call_id)
            assert not (name and delta.name)
            found[delta.index] = (
                call_id or delta.call_id or "",
                name or delta.name or "",
                arguments + delta.arguments,
            )
    return found


class TestToolCalls:
    def test_in_pieces(self) -> None:
        found = calls(
            call(0, id="c1", name="f", arguments=""),
            call(0, arguments='{"a"'),
            call(0, arguments=":1}"),
        )
        assert found == {0: ("c1", "f", '{"a":1}')}

    def test_out_of_order_and_interleaved(self) -> None:
        found = calls(
            call(1, id="c2", name="g"),
            call(0, id="c1", name="f"),
            call(1, arguments="{}"),
            call(0, arguments="[]"),
        )
        assert found == {1: ("c2", "g", "{}"), 0: ("c1", "f", "[]")}

    def test_all_with_the_same_index(self) -> None:
        found = calls(
            call(0, id="c1", name="f", arguments="{}"),
            call(0, id="c2", name="g", arguments="["),
            call(0, arguments="]"),
            call(1, id="c3", name="h", arguments="3"),
        )
        assert found == {0: ("c1", "f", "{}"), 1: ("c2", "g", "[]"), 2: ("c3", "h", "3")}

    def test_without_any_index(self) -> None:
        found = calls(
            call(None, id="c1", name="f", arguments="{"),
            call(None, arguments="}"),
            call(None, id="c2", name="g", arguments="{}"),
            call(None, name="h", arguments="{}"),
            call(None, name="i"),
        )
        assert found == {
            0: ("c1", "f", "{}"),
            1: ("c2", "g", "{}"),
            2: ("", "h", "{}"),
            3: ("", "i", ""),
        }

    def test_an_id_that_changes_with_every_piece(self) -> None:
        found = calls(
            call(0, id="c1", name="f", arguments="{"),
            call(0, id="c9", arguments="}"),
            call(0, id="c1", name="f"),
        )
        assert found == {0: ("c1", "f", "{}")}

    def test_arguments_as_an_object_and_a_finish_that_says_stop(self) -> None:
        found = calls(call(0, id="c", name="f", arguments={"a": "\ud83d\0"}), finish="stop")
        assert found == {0: ("c", "f", '{"a":"\ufffd"}')}

    def test_a_pair_split_inside_arguments(self) -> None:
        found = calls(
            call(0, id="c\0", name="f\0", arguments='"\ud83d'),
            call(0, arguments='\ude42"'),
            call(0, arguments="\ud83d"),
        )
        assert found == {0: ("c", "f", '"🙂"\ufffd')}

    def test_an_empty_part_yields_no_delta(self) -> None:
        assert parsed(chunk({"tool_calls": [{"index": 0}]}), chunk(finish="tool_calls"))[:-1] == []


class TestUsage:
    def of(self, **usage: Any) -> Usage:
        return finished(parsed(STOP, json.dumps({"choices": [], "usage": usage}))).usage

    def test_details(self) -> None:
        usage = self.of(
            prompt_tokens=10,
            completion_tokens=8,
            total_tokens=18,
            prompt_tokens_details={"cached_tokens": 4},
            completion_tokens_details={"reasoning_tokens": 5},
        )
        assert usage == Usage(10, 8, cache_read_tokens=4, reasoning_tokens=5)

    def test_reasoning_counted_beside_the_completion_is_put_into_it(self) -> None:
        usage = self.of(
            prompt_tokens=10,
            completion_tokens=3,
            total_tokens=18,
            completion_tokens_details={"reasoning_tokens": 5},
        )
        assert usage == Usage(10, 8, reasoning_tokens=5)

    def test_another_vendors_word_for_cached(self) -> None:
        assert self.of(prompt_tokens=10, prompt_cache_hit_tokens=4) == Usage(
            10, cache_read_tokens=4
        )

    def test_nonsense_is_not_passed_on(self) -> None:
        usage = self.of(
            prompt_tokens=-3,
            completion_tokens=None,
            total_tokens=7,
            prompt_tokens_details={"cached_tokens": 9},
        )
        assert usage == Usage()

    def test_counts_that_no_ledger_holds_are_none(self) -> None:
        assert self.of(prompt_tokens=10**25, completion_tokens=2, total_tokens=10**25) == Usage(
            0, 2
        )

    def test_the_last_count_of_a_running_one_holds(self) -> None:
        running = chunk({"content": "a"}, usage={"prompt_tokens": 1, "completion_tokens": 1})
        final = chunk(finish="stop", usage={"prompt_tokens": 1, "completion_tokens": 2})
        assert finished(parsed(running, final)).usage == Usage(1, 2)

    def test_none_is_empty(self) -> None:
        assert finished(parsed(STOP)).usage == Usage()


class TestErrorsWithinTheStream:
    def error(self, data: str, event: str = "message") -> UpstreamError:
        parser = StreamParser("fake", (Secret("opaque-secret"),))
        parser.feed(chunk({"content": "Hel"}))
        with pytest.raises(UpstreamError) as caught:
            parser.feed(data, event)
        return caught.value

    def test_with_the_upstream_type(self) -> None:
        fields = {"message": "Overloaded for opaque-secret", "type": "overloaded_error"}
        error = self.error(json.dumps({"error": fields}))
        assert type(error) is UpstreamOverloaded
        assert error.details["upstream_type"] == "overloaded_error"
        assert error.message == "fake failed to answer (overloaded_error): Overloaded for ***"
        assert error.status is None

    def test_with_a_status_as_code(self) -> None:
        error = self.error('{"error": {"message": "slow down", "code": 429}, "choices": []}')
        assert type(error) is UpstreamLimited
        assert error.status == 429

    def test_as_an_event_of_that_name(self) -> None:
        assert "it broke" in self.error('{"message": "it broke"}', "error").message
        assert self.error("no JSON", "error").message == "fake failed to answer (error)."

    def test_as_a_sentence(self) -> None:
        assert "it broke" in self.error('{"error": "it broke"}').message


class TestParseCompletion:
    def test_an_answer_that_was_not_streamed(self) -> None:
        message = {
            "role": "assistant",
            "content": "Hi \ud83d\ude42",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}],
        }
        body = {
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }
        assert parse_completion("fake", json.dumps(body).encode()) == [
            TextDelta("Hi 🙂"),
            ToolCallDelta(0, "c", "f"),
            Finished(FinishReason.TOOL_CALL, Usage(1, 2), "m"),
        ]

    def test_an_error_with_success_as_status(self) -> None:
        with pytest.raises(UpstreamOverloaded, match="broken"):
            parse_completion("fake", b'{"error": {"message": "broken"}}')

    def test_nothing(self) -> None:
        with pytest.raises(UpstreamCut):
            parse_completion("fake", b"{}")


def details(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"reasoning_details": list(blocks), **fields}


def test_reasoning_that_is_told_twice_is_read_once() -> None:
    deltas = parsed(
        chunk(details({"type": "reasoning.text", "text": "a"}, reasoning="a")),
        chunk(details({"type": "reasoning.text", "text": "b"}, reasoning="b")),
        chunk(details({"type": "reasoning.text", "signature": "s", "format": "xai-v1"})),
        STOP,
    )
    assert deltas[:-1] == [
        ReasoningDelta("a"),
        ReasoningDelta("b"),
        ReasoningDelta("", "s", origin="openai_chat/xai-v1"),
    ]


def test_reasoning_in_details_alone() -> None:
    deltas = parsed(
        chunk(details({"type": "reasoning.summary", "summary": "a"})),
        chunk(details({"type": "reasoning.encrypted", "data": "d", "id": "r"})),
        STOP,
    )
    assert deltas[:-1] == [
        ReasoningDelta("a"),
        ReasoningDelta("", encrypted="d", origin="openai_chat", id="r"),
    ]


def test_log_probabilities_go_with_their_text() -> None:
    token: Any = {"token": "a", "logprob": -1.0}

    def told(content: str) -> str:
        choice = {"delta": {"content": content}, "logprobs": {"content": [token]}}
        return json.dumps({"choices": [choice]})

    assert parsed(told("a"), told(""), told("b"), STOP)[:-1] == [
        TextDelta("a", (token,)),
        TextDelta("b", (token, token)),
    ]


def test_where_a_citation_stands() -> None:
    cited = {"url": "https://a", "start_index": 1, "end_index": 4, "content": "said there"}
    deltas = parsed(chunk({"annotations": [{"url_citation": cited}]}), STOP)
    citation = Citation("https://a", "https://a", "said there", 1, 1, 4)
    assert deltas[:-1] == [CitationDelta(citation)]


def test_calls_of_custom_tools() -> None:
    deltas = parsed(
        chunk({"tool_calls": [{"index": 0, "id": "c", "custom": {"name": "g", "input": "x"}}]}),
        chunk({"tool_calls": [{"index": 0, "custom": {"input": "y"}}]}),
        STOP,
    )
    assert deltas[0] == VendorDelta(
        VendorPart(
            "openai_chat",
            {"id": "c", "type": "custom", "custom": {"name": "g", "input": "xy"}},
        )
    )
    assert finished(deltas).reason is FinishReason.TOOL_CALL


def test_an_unknown_finish_reason_is_kept() -> None:
    assert finished(parsed(chunk(finish="eos_token"))).vendor_reason == "eos_token"


def test_tokens_that_were_written_to_the_cache() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 9},
    }
    assert finished(parsed(chunk(finish="stop", usage=usage))).usage == Usage(
        10, 1, cache_read_tokens=4, cache_write_tokens=6
    )


def test_half_a_pair_at_the_end_of_a_refusal() -> None:
    deltas = parsed(chunk({"refusal": "No\ud83d"}), STOP)
    assert deltas[:-1] == [RefusalDelta("No"), RefusalDelta("\ufffd")]
