"""Engines with models of the operator's are called as their own signatures want it.

No model comes with them, so what stands in for their modules is what we use of them.
"""

import sys
from array import array
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.speech.engines import faster_whisper_engine, sherpa_onnx_engine
from cartrita.adapters.speech.engines.orders import EngineOrder
from cartrita.domain.speech import SpokenWord

SOUND = array("h", [0, 16384, -32768]).tobytes()


def order(engine: str, model: Path) -> EngineOrder:
    return EngineOrder(
        engine=engine,
        sample_rate=16_000,
        channels=1,
        bounds=ProcessBounds(seconds=1, memory_bytes=1),
        model=str(model),
        language="de",
        prompt="Moos",
        threads=3,
    )


class WhisperModel:
    """faster-whisper 1.2: what it is called with is kept."""

    asked: dict[str, Any]

    def __init__(
        self, model_size_or_path: str, *, device: str, compute_type: str, cpu_threads: int
    ) -> None:
        type(self).asked = {"path": model_size_or_path, "threads": cpu_threads}

    def transcribe(
        self,
        audio: Any,
        language: str | None = None,
        *,
        task: str,
        initial_prompt: str | None,
        temperature: float,
        word_timestamps: bool,
        condition_on_previous_text: bool,
    ) -> tuple[Any, Any]:
        self.asked |= {"sound": list(audio), "language": language, "prompt": initial_prompt}
        self.asked["task"] = task
        words = [
            SimpleNamespace(word=" Auf", start=0.1, end=0.4, probability=0.8),
            SimpleNamespace(word=" Steinen.", start=0.4, end=1.0, probability=0.6),
        ]
        segments = iter([SimpleNamespace(words=words), SimpleNamespace(words=None)])
        return segments, SimpleNamespace(language="de")


def test_faster_whisper_is_given_floats_and_tells_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = ModuleType("faster_whisper")
    module.__dict__["WhisperModel"] = WhisperModel
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    engine = faster_whisper_engine.open_engine(order("faster-whisper", tmp_path))
    engine.add(SOUND[:2])
    engine.add(SOUND[2:])
    line = engine.final()
    assert WhisperModel.asked == {
        "path": str(tmp_path),
        "threads": 3,
        "sound": [0.0, 0.5, -1.0],
        "language": "de",
        "prompt": "Moos",
        "task": "transcribe",
    }
    assert (line.text, line.confidence, line.language) == ("Auf Steinen.", 0.7, "de")
    assert line.words[1] == SpokenWord("Steinen.", 0.4, 1.0, 0.6)
    engine.add(SOUND)
    engine.drop()
    engine.final()
    assert WhisperModel.asked["sound"] == []


def test_faster_whisper_translates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = ModuleType("faster_whisper")
    module.__dict__["WhisperModel"] = WhisperModel
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    wanted = replace(order("faster-whisper", tmp_path), translated=True)
    engine = faster_whisper_engine.open_engine(wanted)
    engine.add(SOUND)
    assert engine.final().language == "en"
    assert WhisperModel.asked["task"] == "translate"


class Stream:
    """What it is given, and where its text is put."""

    def __init__(self) -> None:
        self.result = SimpleNamespace(text="")
        self.heard: list[tuple[int, list[float]]] = []

    def accept_waveform(self, sample_rate: int, waveform: Any) -> None:
        self.heard.append((sample_rate, [float(one) for one in waveform]))


class OfflineRecognizer:
    """sherpa-onnx 2.0: the kind of model and its files are kept."""

    def __init__(self, kind: str, files: dict[str, Any]) -> None:
        self.kind = kind
        self.files = files

    @classmethod
    def from_transducer(
        cls, *, encoder: str, decoder: str, joiner: str, tokens: str, num_threads: int
    ) -> "OfflineRecognizer":
        files = {"encoder": encoder, "decoder": decoder, "joiner": joiner, "tokens": tokens}
        return cls("transducer", files)

    @classmethod
    def from_whisper(
        cls, *, encoder: str, decoder: str, tokens: str, language: str, num_threads: int
    ) -> "OfflineRecognizer":
        files = {"encoder": encoder, "decoder": decoder, "tokens": tokens, "language": language}
        return cls("whisper", files)

    def create_stream(self) -> Stream:
        return Stream()

    def decode_stream(self, stream: Stream) -> None:
        names = [Path(one).name for one in self.files.values()]
        stream.result.text = f" {self.kind} {names} {stream.heard}"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"encoder.onnx": 9, "encoder.int8.onnx": 1, "decoder.onnx": 1, "joiner.onnx": 1},
            "transducer ['encoder.int8.onnx', 'decoder.onnx', 'joiner.onnx', 'tokens.txt']",
        ),
        (
            {"tiny-encoder.onnx": 1, "tiny-decoder.onnx": 1},
            "whisper ['tiny-encoder.onnx', 'tiny-decoder.onnx', 'tokens.txt', 'de']",
        ),
    ],
)
def test_sherpa_onnx_is_given_the_files_of_its_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, int], told: str
) -> None:
    module = ModuleType("sherpa_onnx")
    module.__dict__["OfflineRecognizer"] = OfflineRecognizer
    monkeypatch.setitem(sys.modules, "sherpa_onnx", module)
    for name, size in {**files, "tokens.txt": 1}.items():
        (tmp_path / name).write_bytes(bytes(size))
    engine = sherpa_onnx_engine.open_engine(order("sherpa-onnx", tmp_path))
    engine.add(SOUND)
    assert engine.final().text == f"{told} [(16000, [0.0, 0.5, -1.0])]"


def test_sherpa_onnx_says_what_a_directory_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = ModuleType("sherpa_onnx")
    module.__dict__["OfflineRecognizer"] = OfflineRecognizer
    monkeypatch.setitem(sys.modules, "sherpa_onnx", module)
    with pytest.raises(FileNotFoundError, match="encoder"):
        sherpa_onnx_engine.open_engine(order("sherpa-onnx", tmp_path))
