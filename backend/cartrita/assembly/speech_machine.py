"""What this machine itself can do with sound: read recordings, encode speech, run engines."""

import os
from typing import Final, NamedTuple

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.speech.encoding import FfmpegEncoding
from cartrita.adapters.speech.ffmpeg import installed_ffmpeg
from cartrita.adapters.speech.recordings import RecordingBounds, SniffedRecordings
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.settings import Settings

_PROGRAM_MEMORY: Final = 1 << 30


class SpeechMachine(NamedTuple):
    """Its parts, which share the seats of `voice.engines_max`."""

    recordings: SniffedRecordings
    encoder: FfmpegEncoding
    seats: EngineSeats


def speech_machine(settings: Settings) -> SpeechMachine:
    """The parts, with the programs that are installed."""
    voice = settings.voice
    seats = EngineSeats(voice.engines_max or os.cpu_count() or 1)
    bounds = ProcessBounds(seconds=voice.transcription_timeout_s, memory_bytes=_PROGRAM_MEMORY)
    ffmpeg = installed_ffmpeg(bounds)
    limits = RecordingBounds(
        octets=voice.recording_max_bytes,
        seconds=voice.recording_max_s,
        decoding_s=voice.transcription_timeout_s,
    )
    return SpeechMachine(SniffedRecordings(limits, seats, ffmpeg), FfmpegEncoding(ffmpeg), seats)
