"""How well and how fast this machine transcribes: sentences that flite speaks, as it hears them."""

import asyncio
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import report, table
from tests.benchmarks.options import Options

from cartrita.adapters.speech.embedded_transcriber import EmbeddedTranscriber, EngineLimits
from cartrita.adapters.speech.recordings import RecordingBounds, SniffedRecordings
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.domain.speech import TranscriptionOptions

_SENTENCES: Final = (
    "the weather is nice today",
    "please open the door",
    "what time is it now",
    "i would like a cup of coffee",
    "she went to the market yesterday",
    "turn off the lights in the kitchen",
    "the train leaves at seven in the morning",
    "can you tell me a story",
    "he is reading a good book",
    "we will meet again next week",
    "the children are playing in the garden",
    "my brother lives in a small town",
    "send a message to my mother",
    "how far is it to the station",
    "they have been working all day long",
    "the water in the lake is very cold",
    "remember to call the doctor tomorrow",
    "there is nobody in the office",
    "it was a long and difficult year",
    "put the keys on the table",
)
_VOICE: Final = "rms"


def word_errors(said: str, heard: str) -> int:
    """How many words must be changed, added or left out to make one of the other."""
    words = heard.split()
    row = list(range(len(words) + 1))
    for number, word in enumerate(said.split(), 1):
        before, row[0] = row[0], number
        for at, other in enumerate(words, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]


def measure(options: Options) -> None:
    """Print the word error rate and the real-time factor of the embedded engine, voice `rms`."""
    asyncio.run(_measure())


async def _measure() -> None:
    seats = EngineSeats(1)
    recordings = SniffedRecordings(RecordingBounds(), seats, None)
    engine = EmbeddedTranscriber(recordings, seats, seats, EngineLimits(), {})
    wrong = words = 0
    sound = took = 0.0
    computed = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for sentence in _SENTENCES:
            recording = await recordings.read(_spoken(sentence, Path(folder)), "")
            before, began = _computed(), time.perf_counter()
            transcript = await engine.transcribe(recording, TranscriptionOptions())
            took += time.perf_counter() - began
            computed += _computed() - before
            sound += transcript.duration
            errors = word_errors(sentence, transcript.text)
            wrong += errors
            words += len(sentence.split())
            if errors:
                report(f"said  {sentence}\nheard {transcript.text}")
    row = {
        "word error rate (goal < 0.2)": wrong / words,
        "real-time factor (goal < 1)": took / sound,
        "processor s for 1 s of sound": computed / sound,
    }
    report(table(f"{len(_SENTENCES)} sentences, {sound:.0f} s", {f"flite's {_VOICE}": row}))


def _computed() -> float:
    """The processor's seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _spoken(sentence: str, folder: Path) -> bytes:
    text, target = folder / "text", folder / "spoken.wav"
    text.write_text(sentence)
    command = ["flite", "-voice", _VOICE, "-f", str(text), "-o", str(target)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    return target.read_bytes()
