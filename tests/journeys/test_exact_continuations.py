"""Answers that break off at any place, by any kind of end, are continued to the letter."""

import asyncio
from collections.abc import Iterator
from itertools import product
from typing import Any, Literal

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.fixtures import PROVIDER_KEY, Serve
from tests.harness.scenario import Scenario
from tests.journeys.v1 import frames, post

TEXT = "Tea in Tōkyō 東京 is green, said señor Über; the kettle 🙂 sings, and the river runs."
HASTY = {"CARTRITA_ROUTES_FIRST_PAUSE_S": "0.01"}
ENDS: tuple[Literal["rst", "fin", "end"], ...] = ("rst", "fin", "end")
PLACES = (0, 1, 8, 19)
"""After so many tokens; 19 is near the end of the text."""
AGAIN = (None, 2)
"""Whether the first continuation breaks off too."""


def cases() -> Iterator[tuple[Script, ...]]:
    for how, place, again in product(ENDS, PLACES, AGAIN):
        cut = Script(text=TEXT, faults=(CutOff(how=how, after_tokens=place),))
        whole = Script(text=TEXT)
        if again is None:
            yield cut, whole
        else:
            yield cut, Script(text=TEXT, faults=(CutOff(how=how, after_tokens=again),)), whole


def request(path: str, model: str, prompt: str, *, store: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "stream": True, "store": store}
    if path == "/v1/responses":
        return {**body, "input": prompt}
    body["messages"] = [{"role": "user", "content": prompt}]
    return {**body, "max_tokens": 1000} if path == "/v1/messages" else body


def piece_of(event: Any) -> str:
    """The text in one event of any of the three APIs."""
    if "choices" in event:
        return "".join(choice["delta"].get("content") or "" for choice in event["choices"])
    if event["type"] == "content_block_delta":
        return event["delta"].get("text", "")
    return event["delta"] if event["type"] == "response.output_text.delta" else ""


def is_end(event: Any) -> bool:
    return event == "[DONE]" or event.get("type") in ("message_stop", "response.completed")


@pytest.fixture
def hasty(serve: Serve, provider: FakeProvider) -> Scenario:
    other = {"ANTHROPIC_BASE_URL": provider.root_url, "ANTHROPIC_API_KEY": PROVIDER_KEY}
    return serve(settings={**HASTY, **other})


async def test_the_text_is_the_intended_one(hasty: Scenario) -> None:
    paths = ("/v1/chat/completions", "/v1/messages", "/v1/responses")
    ways = product(paths, ("openai/fake", "anthropic/fake"), (False, True))
    for path, model, store in ways:
        prompts = [
            f"{path} {model} {store} {number} {directive(*scripts)}"
            for number, scripts in enumerate(cases())
        ]
        bodies = [request(path, model, prompt, store=store) for prompt in prompts]
        answers = await asyncio.gather(*(post(hasty, path, body) for body in bodies))
        for prompt, (status, _, answered) in zip(prompts, answers, strict=True):
            events = [event for _, event in frames(answered)]
            said = "".join(piece_of(event) for event in events if event != "[DONE]")
            assert (status, said) == (200, TEXT), prompt
            assert is_end(events[-1]), prompt
