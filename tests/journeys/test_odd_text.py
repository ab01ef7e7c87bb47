"""A model that emits NUL, lone surrogates and split pairs: what is stored is what was seen."""

import pytest
from tests.harness.fake_provider.blemishes import Odd
from tests.harness.fake_provider.script import Script
from tests.harness.story import Story

# What is left of each: a NUL goes, half a pair becomes U+FFFD, two halves become the character.
LEFT = {"nul": "", "surrogate": "\ufffd", "split_pair": "🙂", "invalid_utf8": "\ufffd\ufffd"}


@pytest.mark.parametrize("what", ["nul", "surrogate", "split_pair", "invalid_utf8"])
async def test_odd_text(story: Story, what: str) -> None:
    plain = Script(words=10, between_tokens_s=0.005)
    odd = Script(words=10, between_tokens_s=0.005, faults=(Odd(what=what, after_tokens=4),))  # pyright: ignore[reportArgumentType]
    records = await story.live(story.plan(odd), story.plan(plain), story.plan(odd))
    story.said.clear()
    read = await story.sound()
    for record in (records[0], records[2]):
        assert read.runs[record.run].status == "completed"
        assert LEFT[what] in record.text()
        assert record.text() == await story.text_of(read.runs[record.run].message)
        assert "\x00" not in record.text()
