"""sherpa-onnx with a transducer or a whisper model of the operator's."""

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from cartrita.adapters.speech.engines.float_samples import float_samples
from cartrita.adapters.speech.engines.orders import SAMPLE_RATE, EngineOrder, TextLine


class _Result(Protocol):
    @property
    def text(self) -> str: ...


class _Stream(Protocol):
    @property
    def result(self) -> _Result: ...

    def accept_waveform(self, sample_rate: int, waveform: object) -> None: ...


class _Recognizer(Protocol):
    """What we use of its OfflineRecognizer."""

    def create_stream(self) -> _Stream: ...

    def decode_stream(self, stream: _Stream) -> None: ...


class SherpaOnnxEngine:
    """Transcribes an utterance when it has ended: there are no interim texts."""

    def __init__(self, order: EngineOrder) -> None:
        self._recognizer = _recognizer(Path(order.model or ""), order)
        self._sound = bytearray()

    def add(self, pcm: bytes) -> None:
        """See UtteranceEngine."""
        self._sound += pcm

    def interim(self) -> str:
        """See UtteranceEngine."""
        return ""

    def final(self) -> TextLine:
        """See UtteranceEngine."""
        sound = float_samples(bytes(self._sound))
        self._sound.clear()
        stream = self._recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE, sound)
        self._recognizer.decode_stream(stream)
        return TextLine(text=stream.result.text.strip())

    def drop(self) -> None:
        """See UtteranceEngine."""
        self._sound.clear()


def open_engine(order: EngineOrder) -> SherpaOnnxEngine:
    """The engine of an order, whose model is a directory as they are released."""
    return SherpaOnnxEngine(order)


def _recognizer(folder: Path, order: EngineOrder) -> _Recognizer:
    kinds = import_module("sherpa_onnx").OfflineRecognizer
    if any(folder.glob("*joiner*.onnx")):
        made = kinds.from_transducer(
            encoder=_file(folder, "*encoder*.onnx"),
            decoder=_file(folder, "*decoder*.onnx"),
            joiner=_file(folder, "*joiner*.onnx"),
            tokens=_file(folder, "*tokens.txt"),
            num_threads=order.threads,
        )
        return cast("_Recognizer", made)
    made = kinds.from_whisper(
        encoder=_file(folder, "*encoder*.onnx"),
        decoder=_file(folder, "*decoder*.onnx"),
        tokens=_file(folder, "*tokens.txt"),
        language=order.language or "",
        num_threads=order.threads,
    )
    return cast("_Recognizer", made)


def _file(folder: Path, pattern: str) -> str:
    """The smallest file of this kind, which is the quantized one where there are two."""
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_size)
    if not found:
        raise FileNotFoundError(f"there is no {pattern} in {folder}")
    return str(found[0])
