"""What the README shows of voice works with no key, by what hears and speaks on this machine."""

import json
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.conftest import OFFLINE, Shell
from tests.docs.snippets import ROOT, Block, blocks
from tests.harness.server import Server

pytestmark = pytest.mark.slow

_QUESTION = "what is the weather like today"


@pytest.fixture
def keyless(tmp_path: Path) -> Iterator[Shell]:
    """A shell beside a server that knows no provider."""
    with Server(provider_url="", settings=OFFLINE) as server:
        yield Shell(server, tmp_path)


def readme_block(words: str) -> Block:
    """The first commands of the README with these words in them."""
    return next(each for each in blocks(ROOT / "README.md") if words in each.code)


def test_a_spoken_question_is_answered_by_speech(keyless: Shell) -> None:
    wanted = ("KEY=ck_your_key", '"external_id": "garden"', "/api/voice/process")
    done = keyless.run([readme_block(words).code for words in wanted])
    assert [each.code for each in done] == [0] * len(wanted), done
    assert all(status < 300 for each in done for status in each.statuses), done
    told = json.loads((keyless.folder / "answer.json").read_text())
    assert told["transcription"] == _QUESTION
    assert "offline assistant" in told["response"]
    with wave.open(str(keyless.folder / "answer.wav")) as answer:
        assert answer.getnframes() > answer.getframerate()
