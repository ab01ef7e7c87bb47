"""A script plays as written, and a mistake in it is told with its place."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cartrita.adapters.providers.offline.provider import Offline
from cartrita.adapters.providers.offline.script import ScriptError, parse_script, read_script
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRejected,
)
from cartrita.domain.messages import Citation, Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest
from cartrita.domain.search import QuotablePassage

DOCS = Path(__file__).parents[5] / "docs" / "offline-script.md"


class Nothing:
    async def passages(
        self, owner_id: str, words: str, limit: int, files: Sequence[str] = ()
    ) -> list[QuotablePassage]:
        return []


def asking(*messages: Message | str, model: str = "script") -> ModelRequest:
    said = tuple(
        Message(Role.USER, (Text(one),)) if isinstance(one, str) else one for one in messages
    )
    return ModelRequest(owner_id="o", model=model, messages=said)


async def told(file: Path | None, request: ModelRequest) -> list[Delta]:
    seen: list[Delta] = []
    await into(seen, file, request)
    return seen


async def into(seen: list[Delta], file: Path | None, request: ModelRequest) -> None:
    async with Offline(Nothing(), script_file=file).stream(request) as deltas:
        async for delta in deltas:
            seen.append(delta)  # noqa: PERF401 - what came before an error is wanted too


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rehearsal.yaml"


def write(file: Path, script: str) -> None:
    file.write_text(script, "utf-8")


def edit(file: Path, old: str, new: str) -> None:
    write(file, file.read_text("utf-8").replace(old, new))


@pytest.fixture
def example(file: Path) -> Path:
    """The script in the documentation."""
    match = re.search(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert match
    write(file, match[1])
    return file


def text(deltas: list[Delta]) -> str:
    return "".join(one.text for one in deltas if isinstance(one, TextDelta))


def finish(deltas: list[Delta]) -> FinishReason:
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].usage.estimated
    return deltas[-1].reason


class TestTheExample:
    async def test_a_tool_and_its_result(self, example: Path) -> None:
        asked = Message(Role.USER, (Text("How is the WEATHER?"),))
        thought, call, _ = deltas = await told(example, asking(asked))
        assert thought == ReasoningDelta("They want the weather. I need the tool.")
        assert isinstance(call, ToolCallDelta)
        assert call.name == "get_weather"
        assert json.loads(call.arguments) == {"city": "Cologne"}
        assert finish(deltas) is FinishReason.TOOL_CALL
        assert call.call_id
        answered = (
            Message(Role.ASSISTANT, (ToolCall(call.call_id, "get_weather", {}),)),
            Message(Role.TOOL, (ToolResult(call.call_id, (Text("rain"),)),)),
        )
        deltas = await told(example, asking(asked, *answered))
        cited = Citation("Weather service", "https://example.com/weather")
        assert deltas[0] == CitationDelta(cited)
        assert text(deltas) == "It rains in Cologne [1]."
        assert finish(deltas) is FinishReason.STOP

    async def test_slowly(self, example: Path) -> None:
        edit(example, "delay: 0.2", "delay: 0")
        deltas = await told(example, asking("very slowly"))
        assert text(deltas) == "drip " * 20
        assert len(deltas) == 21

    async def test_a_failure(self, example: Path) -> None:
        seen: list[Delta] = []
        with pytest.raises(UpstreamOverloaded) as caught:
            await into(seen, example, asking("please fail"))
        assert text(seen) == "So far, so good"
        assert caught.value.retryable
        assert caught.value.message == "The provider is overloaded."

    async def test_a_cut(self, example: Path) -> None:
        with pytest.raises(UpstreamCut):
            await told(example, asking("break off"))

    async def test_a_limit(self, example: Path) -> None:
        assert finish(await told(example, asking("too long"))) is FinishReason.LENGTH

    async def test_anything_else(self, example: Path) -> None:
        deltas = await told(example, asking("How do you do?"))
        assert text(deltas).startswith("Hello. Try")
        assert finish(deltas) is FinishReason.STOP


async def test_without_a_file_it_tells_how_to_get_one() -> None:
    with pytest.raises(UpstreamRejected, match="CARTRITA_OFFLINE_SCRIPT"):
        await told(None, asking("Hi"))


async def test_an_edit_counts_at_once(file: Path) -> None:
    for words in ("one", "two"):
        write(file, f"scenes: [{{steps: [{{text: {words}}}]}}]")
        assert text(await told(file, asking("Hi"))) == words


async def test_the_default_comes_last_and_may_be_missing(file: Path) -> None:
    write(file, "scenes: [{steps: [{text: d}]}, {when: x, steps: [{text: x}]}]")
    assert text(await told(file, asking("x"))) == "x"
    assert text(await told(file, asking("y"))) == "d"
    write(file, "scenes: [{when: x, steps: [{text: x}]}]")
    with pytest.raises(UpstreamRejected, match=r"no scene is for this message.*when: default"):
        await told(file, asking("y"))
    result = Message(Role.TOOL, (ToolResult("c", (Text("r"),), "clock"),))
    with pytest.raises(UpstreamRejected, match="after_tool: clock"):
        await told(file, asking("x", result))


async def test_an_error_of_its_own(file: Path) -> None:
    write(file, "scenes: [{steps: [{error: {message: No., code: my_code, retry_after: 3}}]}]")
    with pytest.raises(UpstreamError) as caught:
        await told(file, asking("Hi"))
    error = caught.value
    assert (error.code, error.retryable, error.retry_after) == ("my_code", False, 3)


async def test_broken_arguments_are_sent_as_they_are(file: Path) -> None:
    calls = "[{tool_call: {name: f, arguments: '{\"a', id: mine}}, {tool_call: {name: g}}]"
    write(file, f"scenes: [{{steps: {calls}}}]")
    deltas = await told(file, asking("Hi"))
    assert deltas[0] == ToolCallDelta(0, "mine", "f", '{"a')
    assert deltas[1] == ToolCallDelta(1, "call_offline_2", "g", "{}")


async def test_leaving_ends_a_long_pause(file: Path) -> None:
    write(file, "scenes: [{steps: [{text: a}, {delay: 3600}]}]")
    async with (
        asyncio.timeout(30),
        Offline(Nothing(), script_file=file).stream(asking("x")) as all_,
    ):
        assert await anext(all_) == TextDelta("a")


async def test_no_other_models() -> None:
    offline = Offline(Nothing())
    assert [model.id for model in await offline.models()] == [
        "offline/assistant",
        "offline/script",
    ]
    assert offline.name == "offline"
    with pytest.raises(UpstreamRejected, match="has no model other"):
        await told(None, asking("Hi", model="other"))


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("", "Expected `object`, got `null`"),
        ("- a", "Expected `object`, got `array`"),
        ("a: [", "not YAML.*line 1"),
        ("a: \x07", "not YAML"),
        ("scene: []", "unknown field `scene`"),
        ("scenes: []", "length >= 1"),
        ("scenes: [{}]", r"required field `steps` - at `scenes\[0\]`"),
        ("scenes: [{when: '/(/', steps: []}]", r"regular expression.*`scenes\[0\].when`"),
        ("scenes: [{steps: [{txt: a}]}]", r"unknown field `txt` - at `scenes\[0\].steps\[0\]`"),
        ("scenes: [{steps: [{}]}]", r"this one nothing - at `scenes\[0\].steps\[0\]`"),
        ("scenes: [{steps: [{text: a, delay: 1}]}]", "this one text and delay"),
        ("scenes: [{steps: [{delay: -1}]}]", r">= 0.* - at `scenes\[0\].steps\[0\].delay`"),
        ("scenes: [{steps: [{text: 5}]}]", "Expected `str"),
        ("scenes: [{steps: [{cut: false}]}]", "cut"),
        (
            "scenes: [{steps: [{repeat: {times: 2, steps: [{}]}}]}]",
            r"nothing - at `scenes\[0\].steps\[0\].repeat.steps\[0\]`",
        ),
    ],
)
async def test_mistakes_are_told_with_file_and_place(file: Path, script: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_script(script)
    write(file, script)
    with pytest.raises(UpstreamRejected, match=f"rehearsal.yaml: .*{problem}") as caught:
        await told(file, asking("Hi"))
    assert str(file.parent) not in caught.value.message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"none\.yaml cannot be read"):
        read_script(tmp_path / "none.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"\xff")
    with pytest.raises(ScriptError, match=r"bad\.yaml"):
        read_script(bad)


def test_nothing_that_no_store_can_hold_gets_in() -> None:
    script: Any = parse_script('scenes: [{steps: [{text: "a\\0\\ud83d\\ude42"}]}]')
    assert script.scenes[0].steps[0].text == "a🙂"
