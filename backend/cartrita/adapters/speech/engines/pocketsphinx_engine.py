"""pocketsphinx with its own model of English, and what makes it usable.

It was trained on sound that is never quite silent and begins before anybody speaks. Without a
little noise and some time before and after, it gets four words of five wrong.
"""

import random
import re
from array import array
from collections.abc import Iterable
from importlib import import_module
from typing import Final, Protocol, cast

from cartrita.adapters.speech.engines.orders import SAMPLE_RATE, EngineOrder, TextLine
from cartrita.adapters.speech.samples import pcm_array, pcm_bytes
from cartrita.domain.speech import SpokenWord

_PAD_S: Final = 0.4
_PAD: Final = bytes(2 * int(_PAD_S * SAMPLE_RATE))
_DITHER: Final = 20
"""The noise that is added, in steps of a sample."""
_SEED: Final = 20_260_101
_LIMIT: Final = 32_767
_FRAMES_A_SECOND: Final = 100
_OTHER_SOUNDS: Final = re.compile(r"[<\[+]")
_VARIANT: Final = re.compile(r"\(\d+\)$")


class _Hypothesis(Protocol):
    @property
    def hypstr(self) -> str: ...


class _Segment(Protocol):
    @property
    def word(self) -> str: ...

    @property
    def start_frame(self) -> int: ...

    @property
    def end_frame(self) -> int: ...

    @property
    def prob(self) -> float: ...


class _Decoder(Protocol):
    """What we use of its Decoder, which has no types."""

    def start_utt(self) -> None: ...

    def end_utt(self) -> None: ...

    def process_raw(self, data: bytes, full_utt: bool = False) -> int: ...

    def hyp(self) -> _Hypothesis | None: ...

    def get_prob(self) -> float: ...

    def seg(self) -> Iterable[_Segment] | None: ...


class PocketsphinxEngine:
    """The same sound always has the same words: the noise begins anew with each utterance.

    Going along with the first one, it does not know yet how the microphone sounds: that one is
    heard once more when it is whole.
    """

    def __init__(self, *, live: bool) -> None:
        module = import_module("pocketsphinx")
        made = module.Decoder(loglevel="FATAL", samprate=float(SAMPLE_RATE))
        self._decoder = cast("_Decoder", made)
        self._live = live
        self._whole = True
        self._sound: bytearray | None = None
        self._noise = random.Random(_SEED)  # noqa: S311 - it is added to sound

    def add(self, pcm: bytes) -> None:
        """See UtteranceEngine."""
        if self._sound is None:
            self._sound = bytearray()
            self._noise.seed(_SEED)
            if self._live:
                self._decoder.start_utt()
            self._hear(_PAD)
        self._hear(pcm)

    def interim(self) -> str:
        """See UtteranceEngine."""
        found = self._decoder.hyp() if self._live and self._sound is not None else None
        return "" if found is None else found.hypstr

    def final(self) -> TextLine:
        """See UtteranceEngine."""
        if self._sound is None:
            return TextLine(text="")
        self._hear(_PAD)
        if self._live:
            self._decoder.end_utt()
        if self._whole:
            self._decoder.start_utt()
            self._decoder.process_raw(bytes(self._sound), full_utt=True)
            self._decoder.end_utt()
        self._whole = not self._live
        self._sound = None
        return self._found()

    def drop(self) -> None:
        """See UtteranceEngine."""
        if self._sound is not None and self._live:
            self._decoder.end_utt()
        self._sound = None

    def _hear(self, pcm: bytes) -> None:
        heard = self._dithered(pcm)
        if self._live:
            self._decoder.process_raw(heard)
        if self._whole and self._sound is not None:
            self._sound += heard

    def _dithered(self, pcm: bytes) -> bytes:
        samples = pcm_array(pcm)
        noise = self._noise.choices(range(-_DITHER, _DITHER + 1), k=len(samples))
        pairs = zip(samples, noise, strict=True)
        return pcm_bytes(array("h", (max(-_LIMIT, min(_LIMIT, a + b)) for a, b in pairs)))

    def _found(self) -> TextLine:
        """The words, but for noises; how sure each is, is known when the whole has been weighed."""
        if self._decoder.hyp() is None:
            return TextLine(text="")
        self._decoder.get_prob()
        words = tuple(
            SpokenWord(
                text=_VARIANT.sub("", one.word),
                start=_seconds(one.start_frame),
                end=_seconds(one.end_frame + 1),
                confidence=round(min(1.0, one.prob), 4),
            )
            for one in self._decoder.seg() or ()
            if not _OTHER_SOUNDS.match(one.word)
        )
        sure = [one.confidence or 0.0 for one in words]
        return TextLine(
            text=" ".join(one.text for one in words),
            confidence=round(sum(sure) / len(sure), 4) if sure else None,
            language="en",
            words=words,
        )


def open_engine(order: EngineOrder) -> PocketsphinxEngine:
    """The engine of an order; its model comes with it."""
    return PocketsphinxEngine(live=order.live)


def _seconds(frame: int) -> float:
    return round(max(0.0, frame / _FRAMES_A_SECOND - _PAD_S), 2)
