"""Counts of tokens: those of OpenAI's own tokenizers where they are loaded, with an error bound."""

import sys

import pytest

from cartrita.adapters.tokens import encodings
from cartrita.adapters.tokens.counter import OPENAI_ERROR, OTHER_ERROR, TokenizerCounter
from cartrita.adapters.tokens.encodings import Encodings
from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.ports.tokens import TokenCount
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RULE_ERROR, RuleCounter
from cartrita.domain.tools import ToolSpec, VendorTool


@pytest.fixture(scope="module")
def loaded() -> Encodings:
    made = Encodings()
    for name in ("o200k_base", "cl100k_base"):
        assert made.load(name) is not None
    return made


@pytest.mark.parametrize(
    ("model", "text", "tokens"),
    [
        # As published in OpenAI's cookbook on counting tokens.
        ("gpt-4", "antidisestablishmentarianism", 6),
        ("gpt-4o", "antidisestablishmentarianism", 6),
        ("gpt-4", "2 + 2 = 4", 7),
        ("gpt-4o", "2 + 2 = 4", 7),
        ("gpt-4", "お誕生日おめでとう", 9),
        ("gpt-4o", "お誕生日おめでとう", 8),
        ("gpt-4o", "", 0),
    ],
)
def test_openai_models_are_counted_by_their_own_tokenizer(
    loaded: Encodings, model: str, text: str, tokens: int
) -> None:
    counter = TokenizerCounter(encodings=loaded)
    assert counter.count_text(model, text) == TokenCount(tokens, OPENAI_ERROR)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("openai/gpt-5.4", "o200k_base"),
        ("o3-mini", "o200k_base"),
        ("claude-opus-4-6", None),
        ("llama3.1:8b", None),
    ],
)
def test_encodings_of_models(model: str, name: str | None) -> None:
    assert encodings.encoding_name(model) == name


def test_models_of_others_are_counted_by_the_nearest_tokenizer(loaded: Encodings) -> None:
    text = "お誕生日おめでとう"
    nearest, chosen = TokenizerCounter(None, loaded), TokenizerCounter("gpt-4", loaded)
    assert nearest.count_text("claude-opus-4-6", text) == TokenCount(8, OTHER_ERROR)
    assert chosen.count_text("claude-opus-4-6", text) == TokenCount(9, OTHER_ERROR)


def test_a_long_text_is_extrapolated(loaded: Encodings) -> None:
    counter = TokenizerCounter(encodings=loaded)
    text = "The heliotrope stands beside the blue pump. " * 20_000
    tokenizer = loaded.get("o200k_base")
    assert tokenizer is not None
    exact = len(tokenizer.encode_ordinary(text))
    assert abs(counter.count_text("gpt-4o", text).tokens - exact) <= 0.01 * exact


def test_everything_in_a_request_counts(loaded: Encodings) -> None:
    counter = TokenizerCounter(encodings=loaded)
    bare = ModelRequest(owner_id="ann", model="gpt-4o", messages=())
    assert counter.count_request(bare).tokens == 1
    parts = (
        Text("Hello"),
        Attachment("image/png", url="data:"),
        ToolCall("c", "look", {"at": "cats"}),
        ToolResult("c", (Text("cats"),)),
        VendorPart("anthropic_messages", {"type": "x"}),
    )
    counts: list[int] = []
    for number in range(1, len(parts) + 1):
        message = Message(Role.USER, parts[:number])
        request = ModelRequest(owner_id="ann", model="gpt-4o", messages=(message,))
        counts.append(counter.count_request(request).tokens)
    assert counts == sorted(set(counts))
    cited = Message(Role.USER, (Text("Hello"), Citation("a title that was never sent")))
    request = ModelRequest(owner_id="ann", model="gpt-4o", messages=(cited,))
    assert counter.count_request(request).tokens == counts[0]


def test_instructions_and_tools_count(loaded: Encodings) -> None:
    counter = TokenizerCounter(encodings=loaded)
    request = ModelRequest(
        owner_id="ann",
        model="gpt-4o",
        messages=(),
        instructions=(Text("Be brief."),),
        tools=(
            ToolSpec("look", "Looks.", {"type": "object"}),
            VendorTool("anthropic_messages", "computer", {"type": "computer"}),
        ),
    )
    assert counter.count_request(request).tokens > 20
    assert RuleCounter().count_request(request).tokens > 20


def test_the_rule_counts_until_the_tokenizer_is_loaded() -> None:
    class Never(Encodings):
        def get(self, name: str) -> None:
            return None

    counter = TokenizerCounter(encodings=Never())
    assert counter.count_text("gpt-4o", "four") == TokenCount(1, RULE_ERROR)
    request = ModelRequest(owner_id="ann", model="gpt-4o", messages=())
    assert counter.count_request(request) == RuleCounter().count_request(request)
    assert RuleCounter().count_text("m", "12345") == TokenCount(2, RULE_ERROR)


def test_the_first_question_loads_it_in_a_thread() -> None:
    made = Encodings()
    assert made.get("cl100k_base") is None
    loaded = made.load("cl100k_base")
    assert loaded is not None
    assert made.get("cl100k_base") is not None


def test_without_tiktoken_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert Encodings().load("o200k_base") is None


def test_ranks_that_tiktoken_does_not_expect_are_refused() -> None:
    url = "https://example.invalid/encodings/cl100k_base.tiktoken"
    assert len(encodings._load_ranks(url)) == 100_256
    with pytest.raises(ValueError, match="not what this version"):
        encodings._load_ranks(url, "0" * 64)


def test_of_many_texts_only_so_much_is_counted(loaded: Encodings) -> None:
    class Recording:
        """Counts the characters that it is asked for."""

        characters = 0

        def encode_ordinary(self, text: str) -> list[int]:
            self.characters += len(text)
            return [0] * (len(text) // 2)

    recording = Recording()

    class Only(Encodings):
        def get(self, name: str) -> Recording:
            return recording

    message = Message(Role.USER, tuple(Text("x" * 30_000) for _ in range(50)))
    request = ModelRequest(owner_id="ann", model="gpt-4o", messages=(message,))
    assert TokenizerCounter(encodings=Only()).count_request(request).tokens >= 750_000
    assert recording.characters <= 64 << 10
