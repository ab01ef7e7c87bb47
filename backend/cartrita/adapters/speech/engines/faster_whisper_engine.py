"""faster-whisper with a model of the operator's, in the form of CTranslate2."""

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol, cast

from cartrita.adapters.speech.engines.float_samples import float_samples
from cartrita.adapters.speech.engines.orders import EngineOrder, TextLine
from cartrita.domain.speech import SpokenWord


class _Word(Protocol):
    @property
    def word(self) -> str: ...

    @property
    def start(self) -> float: ...

    @property
    def end(self) -> float: ...

    @property
    def probability(self) -> float: ...


class _Segment(Protocol):
    @property
    def words(self) -> Iterable[_Word] | None: ...


class _Told(Protocol):
    @property
    def language(self) -> str: ...


class _Model(Protocol):
    """What we use of its WhisperModel."""

    def transcribe(
        self,
        audio: object,
        *,
        task: str,
        language: str | None,
        initial_prompt: str | None,
        temperature: float,
        word_timestamps: bool,
        condition_on_previous_text: bool,
    ) -> tuple[Iterable[_Segment], _Told]: ...


class FasterWhisperEngine:
    """Transcribes an utterance when it has ended: there are no interim texts."""

    def __init__(self, order: EngineOrder) -> None:
        self._order = order
        made = import_module("faster_whisper").WhisperModel(
            order.model, device="cpu", compute_type="int8", cpu_threads=order.threads
        )
        self._model = cast("_Model", made)
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
        segments, told = self._model.transcribe(
            sound,
            task="translate" if self._order.translated else "transcribe",
            language=self._order.language,
            initial_prompt=self._order.prompt,
            temperature=self._order.temperature or 0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        words = tuple(
            SpokenWord(
                text=word.word.strip(),
                start=round(word.start, 2),
                end=round(word.end, 2),
                confidence=round(word.probability, 4),
            )
            for segment in segments
            for word in segment.words or ()
        )
        sure = [one.confidence or 0.0 for one in words]
        return TextLine(
            text=" ".join(one.text for one in words),
            confidence=round(sum(sure) / len(sure), 4) if sure else None,
            language="en" if self._order.translated else told.language,
            words=words,
        )

    def drop(self) -> None:
        """See UtteranceEngine."""
        self._sound.clear()


def open_engine(order: EngineOrder) -> FasterWhisperEngine:
    """The engine of an order, whose model is a directory."""
    return FasterWhisperEngine(order)
