"""Programs that speak: what they are called with, and the voices that they have."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from cartrita.adapters.processes.programs import found
from cartrita.domain.speech import PcmFormat

FLITE, ESPEAK, PIPER = "flite", "espeak-ng", "piper"
_ESPEAK_WORDS_A_MINUTE: Final = 175
_ESPEAK_SPEEDS: Final = (80, 450)
_ESPEAK_DATA: Final = "espeak-ng-data"
_ESPEAK_PLACES: Final = (Path("/usr/lib"), Path("/usr/share"), Path("/usr/local/share"))


class SpeakingProgram(Protocol):
    """One of them; it reads the text on standard input, and writes WAV, or bare samples."""

    @property
    def path(self) -> Path: ...

    @property
    def voices(self) -> tuple[str, ...]:
        """The usual one first."""
        ...

    @property
    def audio(self) -> PcmFormat: ...

    @property
    def bare(self) -> bool:
        """Whether its samples have no header."""
        ...

    @property
    def readable(self) -> Sequence[Path]:
        """What it reads beside libraries."""
        ...

    def can_say(self, text: str) -> bool:
        """Whether it has a sound for any letter of the text, if there are letters."""
        ...

    def arguments(self, voice: str, speed: float) -> Sequence[str]: ...


class Flite(msgspec.Struct, frozen=True):
    """flite, whose voices are built in."""

    path: Path
    voices: tuple[str, ...] = ("rms", "slt", "awb", "kal16")
    audio: PcmFormat = PcmFormat(16_000)
    bare: bool = False
    readable: tuple[Path, ...] = ()

    def can_say(self, text: str) -> bool:
        """It passes over all but English letters, and makes a click of the others alone."""
        letters = [one for one in text if one.isalnum()]
        return not letters or any(one.isascii() for one in letters)

    def arguments(self, voice: str, speed: float) -> Sequence[str]:
        """It writes its header last, so its output must be a file."""
        return (
            "-voice", voice, "--setf", f"duration_stretch={1 / speed:.4f}",
            "-f", "/dev/stdin", "-o", "/dev/stdout",
        )  # fmt: skip


class Espeak(msgspec.Struct, frozen=True):
    """espeak-ng, which has a voice for each of a hundred languages."""

    path: Path
    voices: tuple[str, ...]
    readable: tuple[Path, ...]
    audio: PcmFormat = PcmFormat(22_050)
    bare: bool = False

    def can_say(self, text: str) -> bool:
        """It names the letters that its voice does not have."""
        return True

    def arguments(self, voice: str, speed: float) -> Sequence[str]:
        """Its speed is in words a minute."""
        slowest, fastest = _ESPEAK_SPEEDS
        words = max(slowest, min(fastest, round(_ESPEAK_WORDS_A_MINUTE * speed)))
        return ("-v", voice, "-s", str(words), "-b", "1", "--stdin", "--stdout")


class Piper(msgspec.Struct, frozen=True):
    """piper, with one voice of the operator's."""

    path: Path
    model: Path
    audio: PcmFormat
    bare: bool = True

    @property
    def voices(self) -> tuple[str, ...]:
        """The name of its file."""
        return (self.model.stem,)

    @property
    def readable(self) -> Sequence[Path]:
        """The voice, and where the program and the Python that it may be run by are installed."""
        own = (self.path.parent, self.path.parent.parent / "lib")
        return (self.model.parent, *own, Path(sys.prefix), Path(sys.base_prefix))

    def can_say(self, text: str) -> bool:
        """What a voice of the operator's knows cannot be told."""
        return True

    def arguments(self, voice: str, speed: float) -> Sequence[str]:
        """It has no other voice than its own."""
        scale = f"{1 / speed:.4f}"
        return ("--model", str(self.model), "--length_scale", scale, "--output_raw")


def flite() -> Flite | None:
    """It, if it is installed."""
    path = found(FLITE)
    return None if path is None else Flite(path)


def espeak() -> Espeak | None:
    """It, if it is installed, with the voices of its data."""
    path, data = found(ESPEAK), _espeak_data()
    if path is None or data is None:
        return None
    return Espeak(path, _espeak_voices(data), (data,))


def piper(model: Path | None) -> Piper | None:
    """It, if it is installed and has a voice, which says how many samples a second it makes."""
    path = found(PIPER)
    if path is None or model is None or not model.is_file():
        return None
    rate = _piper_rate(model)
    return None if rate is None else Piper(path, model.resolve(), PcmFormat(rate))


class _PiperAudio(msgspec.Struct):
    sample_rate: int


class _PiperVoice(msgspec.Struct):
    audio: _PiperAudio


def _piper_rate(model: Path) -> int | None:
    try:
        octets = Path(f"{model}.json").read_bytes()
        return msgspec.json.decode(octets, type=_PiperVoice).audio.sample_rate
    except (OSError, msgspec.MsgspecError):
        return None


def _espeak_data() -> Path | None:
    places = (
        path for place in _ESPEAK_PLACES for path in (place, *sorted(place.glob("*-linux-*")))
    )
    return next((path / _ESPEAK_DATA for path in places if (path / _ESPEAK_DATA).is_dir()), None)


def _espeak_voices(data: Path) -> tuple[str, ...]:
    """The languages that its files of voices name first, English as it is spoken in America."""
    names = {"en-us"}
    for path in (data / "lang").rglob("*"):
        if path.is_file():
            lines = path.read_text("utf-8", errors="replace").splitlines()
            names.update(line.split()[1] for line in lines if line.startswith("language "))
    return ("en-us", *sorted(names - {"en-us"}))
