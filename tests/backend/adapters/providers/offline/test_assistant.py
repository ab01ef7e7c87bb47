"""The offline assistant follows its rules, says what it is, and never pretends."""

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest

from cartrita.adapters.providers.offline.assistant import INTRODUCTION
from cartrita.adapters.providers.offline.provider import Offline
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Attachment, Message, Part, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest, ResponseFormat, Sampling
from cartrita.domain.search import QuotablePassage
from cartrita.domain.tools import NamedTool, ToolSpec

SENTENCES = "Tell me something in a few sentences, please."


class Stored:
    """A search that finds what it was given, and remembers what it was asked."""

    def __init__(self, *passages: str | QuotablePassage) -> None:
        self.found = [
            QuotablePassage("Stored here", one) if isinstance(one, str) else one for one in passages
        ]
        self.asked: list[tuple[str, str]] = []
        self.files: list[str] = []

    async def passages(
        self, owner_id: str, words: str, limit: int, files: Sequence[str] = ()
    ) -> list[QuotablePassage]:
        self.asked.append((owner_id, words))
        self.files = [*files]
        return self.found[:limit]


def user(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def said(text: str) -> Message:
    return Message(Role.ASSISTANT, (Text(text),))


def tool(name: str, **properties: Any) -> ToolSpec:
    schema: JsonObject = {"type": "object", "properties": properties, "required": [*properties]}
    return ToolSpec(name, f"Does {name}.", schema)


async def deltas(
    *messages: Message, search: Stored | None = None, **fields: Any
) -> tuple[list[Delta], Finished]:
    request = ModelRequest(owner_id="anna", model="assistant", messages=messages, **fields)
    async with Offline(search or Stored()).stream(request) as told:
        found = [delta async for delta in told]
    finished = found.pop()
    assert isinstance(finished, Finished)
    assert not any(isinstance(one, Finished) for one in found)
    return found, finished


async def answer(*messages: Message, search: Stored | None = None, **fields: Any) -> str:
    found, _ = await deltas(*messages, search=search, **fields)
    return "".join(one.text for one in found if isinstance(one, TextDelta))


async def call(*messages: Message, **fields: Any) -> tuple[str, dict[str, Any]]:
    found, finished = await deltas(*messages, **fields)
    assert finished.reason is FinishReason.TOOL_CALL
    pieces = [one for one in found if isinstance(one, ToolCallDelta)]
    assert len(pieces) == len(found)
    assert pieces[0].call_id
    return pieces[0].name or "", json.loads("".join(one.arguments for one in pieces))


class TestWords:
    async def test_it_says_what_it_is_in_several_sentences_and_pieces(self) -> None:
        found, finished = await deltas(user(SENTENCES))
        text = "".join(one.text for one in found if isinstance(one, TextDelta))
        assert text.startswith(INTRODUCTION)
        assert "not a language model" in text
        assert text.count(". ") >= 2
        assert len(found) > 20
        assert finished.reason is FinishReason.STOP

    async def test_it_says_that_it_found_nothing(self) -> None:
        search = Stored()
        text = await answer(user("Where is the red bicycle?"), search=search)
        assert "found no passage" in text
        assert search.asked == [("anna", "Where is the red bicycle?")]

    async def test_it_quotes_what_was_said_before(self) -> None:
        first = await answer(user("Remember the word heliotrope."))
        text = await answer(
            user("Remember the word heliotrope."),
            said(first),
            user("What was the word that you remembered?"),
        )
        assert "“Remember the word heliotrope.”" in text
        assert text.count("[") == 1

    async def test_it_quotes_and_cites_what_the_search_finds(self) -> None:
        search = Stored("The bicycle stands\n in the cellar.", "x" * 500)
        found, _ = await deltas(user("Where is the bicycle?"), search=search)
        citations = [one.citation for one in found if isinstance(one, CitationDelta)]
        assert [one.index for one in citations] == [1, 2]
        assert citations[0].snippet == "The bicycle stands in the cellar."
        text = "".join(one.text for one in found if isinstance(one, TextDelta))
        assert "[1] “The bicycle stands in the cellar.”" in text
        assert "2 passages share" in text
        assert "x" * 299 + "…" in text

    async def test_the_nearest_of_what_was_said_comes_first(self) -> None:
        text = await answer(
            user("My bicycle is red."),
            user("My bicycle stands in the cellar."),
            user("I like tea."),
            user("Where in the cellar stands my bicycle?"),
        )
        assert text.index("cellar.”") < text.index("red.”")
        assert "tea" not in text

    async def test_it_quotes_neither_the_question_nor_itself(self) -> None:
        question = "Where is the bicycle?"
        earlier = await answer(user("Where is the red bicycle?"))
        search = Stored(question, "where is  the bicycle", "", earlier, earlier[40:120])
        assert "found no passage" in await answer(user(question), search=search)

    async def test_without_words_there_is_nothing_to_search(self) -> None:
        search = Stored("something")
        image = Message(Role.USER, (Attachment("image/png", url="data:,"),))
        assert "found no passage" in await answer(image, search=search)
        assert "found no passage" in await answer(search=search)
        assert search.asked == []


class TestFiles:
    PASSAGE = QuotablePassage(
        "a.pdf, page 2, passage 1",
        "Filler. " * 90 + "The code is QX-7. Filler.",
        "/a#page=2",
        "a.pdf",
    )
    ASKED = Message(Role.USER, (Text("[File: a.pdf]\n...\n[End]"), Text("What is the code?")))

    async def test_a_file_of_the_conversation_comes_first_and_is_cited(self) -> None:
        search = Stored("The code of the door.", self.PASSAGE)
        found, _ = await deltas(user("My code is red."), self.ASKED, search=search)
        assert (search.asked, search.files) == ([("anna", "What is the code?")], ["a.pdf"])
        citations = [one.citation for one in found if isinstance(one, CitationDelta)]
        assert [one.title for one in citations] == [self.PASSAGE.title, *["Stored here"] * 2]
        assert citations[0].url == "/a#page=2"
        assert citations[0].snippet == "…The code is QX-7. Filler."
        text = "".join(one.text for one in found if isinstance(one, TextDelta))
        assert "[1] (a.pdf, page 2, passage 1) “…The code is QX-7. Filler.”" in text

    async def test_a_file_without_the_words_is_told_of_by_its_beginning(self) -> None:
        search = Stored(QuotablePassage("a.pdf, page 1, passage 1", "Moss grows.", "/a", "a.pdf"))
        parts = (Text("[File: a.pdf]\nMoss grows.\n[End of the file]"),)
        for asked in (Message(Role.USER, (*parts, Text("Sum it up!"))), Message(Role.USER, parts)):
            text = await answer(asked, search=search)
            assert "no passage shares words with your message" in text
            assert "“Moss grows.”" in text

    async def test_what_files_say_calls_no_tool(self) -> None:
        parts = (Text("[File: a.txt]\nweb search\n[End of the file]"), Text("Hi"))
        text = await answer(Message(Role.USER, parts), tools=(tool("web_search"),))
        assert text.startswith(INTRODUCTION)


class TestLimits:
    async def test_it_stops_before_a_stop_word(self) -> None:
        stops = ("language", "", "model", "unheard of")
        found, finished = await deltas(user("Hi"), sampling=Sampling(stop=stops))
        text = "".join(one.text for one in found if isinstance(one, TextDelta))
        assert text == INTRODUCTION.partition("language")[0]
        assert finished.reason is FinishReason.STOP

    @pytest.mark.parametrize("most", [0, 1, 7])
    async def test_it_ends_at_the_limit_and_says_so(self, most: int) -> None:
        found, finished = await deltas(user("Hi"), sampling=Sampling(max_tokens=most))
        assert len(found) == most
        assert finished.reason is FinishReason.LENGTH
        assert finished.usage.output_tokens == most

    async def test_a_limit_that_is_not_reached_is_none(self) -> None:
        whole, _ = await deltas(user("Hi"))
        found, finished = await deltas(user("Hi"), sampling=Sampling(max_tokens=len(whole)))
        assert found == whole
        assert finished.reason is FinishReason.STOP

    async def test_usage_counts_words_and_says_that_it_estimates(self) -> None:
        found, finished = await deltas(user("one two three"), instructions=(Text("four five"),))
        assert finished.usage.input_tokens == 5
        assert finished.usage.output_tokens == len(found)
        assert finished.usage.estimated
        assert (await deltas(user("one two three"), instructions=(Text("four five"),)))[
            1
        ] == finished

    async def test_everything_that_was_sent_counts(self) -> None:
        parts: tuple[Part, ...] = (Attachment("image/png"), ToolCall("1", "f", {"a": 1}))
        messages = (user("x" * 33), Message(Role.USER, parts))
        _, finished = await deltas(*messages, tools=(ToolSpec("g", "Does it.", {}),))
        assert finished.usage.input_tokens == 3 + 1 + 2 + 3 + 1


class TestTools:
    async def test_one_whose_name_stands_in_the_message(self) -> None:
        tools = (tool("other"), tool("web_search", query={"type": "string"}))
        for words in ("web_search for cats", "do a Web-Search for cats", "web search!"):
            assert await call(user(words), tools=tools) == ("web_search", {"query": words})

    async def test_none_where_no_name_is_said_or_none_is_wanted(self) -> None:
        tools = (tool("web_search"),)
        assert INTRODUCTION in await answer(user("the website researches"), tools=tools)
        assert INTRODUCTION in await answer(user("web_search"), tools=tools, tool_choice="none")

    async def test_the_first_where_one_is_required(self) -> None:
        tools = (tool("a_tool"), tool("b_tool"))
        assert (await call(user("Hi"), tools=tools, tool_choice="required"))[0] == "a_tool"
        assert (await call(user("b tool"), tools=tools, tool_choice="required"))[0] == "b_tool"

    async def test_the_one_that_must_be_called(self) -> None:
        tools = (tool("a_tool"), tool("b_tool"))
        assert (await call(user("a tool"), tools=tools, tool_choice=NamedTool("b_tool")))[0] == (
            "b_tool"
        )
        with pytest.raises(UpstreamRejected, match="not among the tools"):
            await deltas(user("Hi"), tools=tools, tool_choice=NamedTool("c_tool"))

    async def test_numbers_and_quoted_texts_fill_the_arguments(self) -> None:
        spec = tool(
            "plan",
            days={"type": "integer"},
            budget={"type": "number"},
            place={"type": "string"},
            theme={"type": "string"},
        )
        words = 'plan 3 days with 99.5 in “Köln” about "art" (v1.2.3)'
        _, arguments = await call(user(words), tools=(spec,))
        assert arguments == {"days": 3, "budget": 99.5, "place": "Köln", "theme": "art"}

    async def test_results_are_quoted_and_not_asked_for_again(self) -> None:
        messages = (
            user("weather and clock"),
            Message(Role.ASSISTANT, (ToolCall("c1", "weather", {}), ToolCall("c2", "clock", {}))),
            Message(Role.TOOL, (ToolResult("c1", (Text("rain  in\nKöln"),)),)),
            Message(
                Role.TOOL,
                (
                    ToolResult("c2", (Text("broken"),), success=False),
                    ToolResult("c3", (Text("?"),)),
                ),
            ),
        )
        tools = (tool("weather"), tool("clock"))
        text = await answer(*messages, tools=tools, tool_choice="required")
        assert "The tool weather answered: “rain in Köln”." in text
        assert "The tool clock failed: “broken”." in text
        assert "The tool that was called answered: “?”." in text
        assert INTRODUCTION in text

    async def test_calls_have_ids_of_their_own(self) -> None:
        tools = (tool("weather"),)
        found, _ = await deltas(user("weather"), tools=tools)
        first = found[0]
        assert isinstance(first, ToolCallDelta)
        assert first.call_id is not None
        messages = (
            user("weather"),
            Message(Role.ASSISTANT, (ToolCall(first.call_id, "weather", {}),)),
            Message(Role.TOOL, (ToolResult(first.call_id, (Text("rain"),)),)),
            user("weather again"),
        )
        again, _ = await deltas(*messages, tools=tools)
        assert isinstance(again[0], ToolCallDelta)
        assert again[0].call_id != first.call_id

    async def test_parameters_that_nobody_can_fill(self) -> None:
        for schema, problem in (({"type": "array"}, "not an object"), ({"enum": []}, "filled")):
            with pytest.raises(UpstreamRejected, match=problem):
                await deltas(user("bad"), tools=(ToolSpec("bad", "", schema),))  # pyright: ignore[reportArgumentType]


class TestJson:
    async def test_an_object(self) -> None:
        text = await answer(user("Hi"), response_format=ResponseFormat("json"))
        assert json.loads(text)["offline"] is True
        assert "not a language model" in text

    async def test_a_schema(self) -> None:
        schema: JsonObject = {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 1}},
            "required": ["name", "age"],
            "additionalProperties": False,
        }
        wanted = ResponseFormat("json_schema", "person", schema)
        value = json.loads(await answer(user('"Anna" is 30.'), response_format=wanted))
        jsonschema.validate(value, schema)
        assert value == {"name": "Anna", "age": 30}

    async def test_a_schema_that_nobody_can_fill(self) -> None:
        wanted = ResponseFormat("json_schema", "x", {"enum": []})
        with pytest.raises(UpstreamRejected, match="cannot be filled"):
            await deltas(user("Hi"), response_format=wanted)

    async def test_no_schema_at_all(self) -> None:
        wanted = ResponseFormat("json_schema", "x")
        json.loads(await answer(user("Hi"), response_format=wanted))
