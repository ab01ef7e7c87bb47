"""A model that emits NUL, lone surrogates and split pairs: the stored text is the streamed text."""

import pytest
from tests.harness.fake_provider.malformed_output import InvalidText
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario

# What is left of each: a NUL goes, half a pair becomes U+FFFD, two halves become the character.
LEFT = {"nul": "", "surrogate": "\ufffd", "split_pair": "🙂", "invalid_utf8": "\ufffd\ufffd"}


@pytest.mark.parametrize("what", ["nul", "surrogate", "split_pair", "invalid_utf8"])
async def test_invalid_unicode(scenario: Scenario, what: str) -> None:
    plain = Script(words=10, between_tokens_s=0.005)
    odd = Script(words=10, between_tokens_s=0.005, faults=(InvalidText(what=what, after_tokens=4),))  # pyright: ignore[reportArgumentType]
    records = await scenario.run_clients(
        scenario.plan(odd), scenario.plan(plain), scenario.plan(odd)
    )
    scenario.answers.clear()
    read = await scenario.check()
    for record in (records[0], records[2]):
        assert read.runs[record.run].status == "completed"
        assert LEFT[what] in record.text()
        assert record.text() == await scenario.text_of(read.runs[record.run].message)
        assert "\x00" not in record.text()
