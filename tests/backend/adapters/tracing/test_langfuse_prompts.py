"""What of Langfuse's prompts can be instructions, and what is said of the others."""

import gzip
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.harness.langfuse_sink import LangfuseSink, langfuse_sink

from cartrita.adapters.tracing.langfuse_prompts import LangfusePrompts
from cartrita.adapters.tracing.policies import LangfuseProject
from cartrita.domain.prompts import (
    INSTRUCTIONS_MAX,
    Prompt,
    PromptNotTaken,
    PromptReference,
    PromptVersion,
)
from cartrita.kit.secret import Secret

NAME = "team/lawyer & clerk?"


@asynccontextmanager
async def reader(sink: LangfuseSink, timeout_s: float = 20.0) -> AsyncGenerator[LangfusePrompts]:
    project = LangfuseProject(
        address=sink.base_url, public_key=sink.public_key, secret_key=Secret(sink.secret_key)
    )
    prompts = LangfusePrompts(project, timeout_s)
    try:
        yield prompts
    finally:
        await prompts.close()


async def read(sink: LangfuseSink, **reference: Any) -> Prompt:
    async with reader(sink) as prompts:
        return await prompts.read(PromptReference(name=NAME, **reference))


async def refusal(sink: LangfuseSink, **reference: Any) -> PromptNotTaken:
    with pytest.raises(PromptNotTaken) as refused:
        await read(sink, **reference)
    return refused.value


def system(text: str, role: str = "system") -> dict[str, str]:
    return {"type": "chatmessage", "role": role, "content": text}


async def test_a_label_or_a_version_is_read() -> None:
    with langfuse_sink() as sink:
        sink.prompts.add(NAME, "One.")
        sink.prompts.add(NAME, "Two.", label="staging")
        assert await read(sink) == Prompt(PromptVersion(NAME, 1), "One.")
        assert (await read(sink, label="staging")).text == "Two."
        assert (await read(sink, version=2)).text == "Two."
        assert (await refusal(sink, version=3)).outcome == 404
        assert (await refusal(sink, label="nobody's")).outcome == 404


async def test_a_chat_of_system_messages_is_taken() -> None:
    with langfuse_sink() as sink:
        sink.prompts.add(NAME, [system("Be brief."), system("Be kind.")])
        assert (await read(sink)).text == "Be brief.\n\nBe kind."


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        (" \n", "empty"),
        ([], "empty"),
        ("x" * (INSTRUCTIONS_MAX + 1), "characters"),
        ("A\0b", "no text"),
        ("A\ud800b", "no text"),
        ("Hello {{ name }}.", "{{variables}}"),
        ([system("Be brief."), system("Hello", role="user")], "not of the system"),
        ([system("Be brief."), {"type": "placeholder", "name": "history"}], "not of the system"),
    ],
)
async def test_malformed_prompts_are_refused(prompt: Any, why: str) -> None:
    with langfuse_sink() as sink:
        sink.prompts.add(NAME, prompt)
        refused = await refusal(sink)
    assert refused.outcome == "malformed"
    assert why in refused.fix


_NO_PROMPTS = {
    "nothing": b"",
    "cut": b"{",
    "null": b"null",
    "deep": b"[" * 500_000,
    "no text": b"\xff\xfe",
    "a number": json.dumps({"type": "text", "prompt": 1, "name": NAME, "version": 1}).encode(),
    "no version": json.dumps(
        {"type": "text", "prompt": "x", "name": NAME, "version": "x"}
    ).encode(),
    "compressed": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("answer", _NO_PROMPTS.values(), ids=[*_NO_PROMPTS])
async def test_answers_that_are_no_prompts_are_refused(answer: bytes) -> None:
    with langfuse_sink() as sink:
        sink.prompts.answer(NAME, answer)
        assert (await refusal(sink)).outcome == "malformed"


async def test_an_answer_is_read_up_to_a_bound() -> None:
    with langfuse_sink() as sink:
        sink.prompts.add(NAME, "x" * (5 << 20))
        assert "bytes" in (await refusal(sink)).fix


async def test_braces_that_are_no_variables_stay() -> None:
    text = "Write `{{ a b }}` and {x} and ${{}}."
    with langfuse_sink() as sink:
        sink.prompts.add(NAME, text)
        assert (await read(sink)).text == text


@pytest.mark.parametrize("mode", [301, 429, 500, 503])
async def test_a_status_is_the_outcome_and_is_asked_for_once(mode: Any) -> None:
    with langfuse_sink() as sink:
        sink.mode = mode
        assert (await refusal(sink)).outcome == mode
        assert sink.requests == 1, "no retry, and no redirect with keys"


async def test_a_reading_that_takes_too_long_is_left() -> None:
    with langfuse_sink() as sink:
        sink.mode = "hang"
        async with reader(sink, timeout_s=0.1) as prompts:
            with pytest.raises(PromptNotTaken) as refused:
                await prompts.read(PromptReference(name=NAME))
    assert "LANGFUSE_BASE_URL" in refused.value.fix


async def test_no_proxy_of_the_environment_sees_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("LANGFUSE_BASE_URL", "http://127.0.0.1:9")
    with langfuse_sink() as sink:
        sink.prompts.add(NAME, "One.")
        assert (await read(sink)).text == "One."
