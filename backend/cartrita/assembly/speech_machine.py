"""What this machine itself can do with sound: read recordings, encode speech, run engines."""

import os
from typing import Final, NamedTuple

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.speech.embedded_synthesizer import EmbeddedSynthesizer
from cartrita.adapters.speech.embedded_transcriber import EmbeddedTranscriber, EngineLimits
from cartrita.adapters.speech.encoding import FfmpegEncoding
from cartrita.adapters.speech.ffmpeg import installed_ffmpeg
from cartrita.adapters.speech.recordings import RecordingBounds, SniffedRecordings
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.settings import Settings

_PROGRAM_MEMORY: Final = 1 << 30
_FEWEST_THREADS: Final = 2
"""Of an engine with a model: such ones use threads in any case."""


class SpeechMachine(NamedTuple):
    """Its parts, which share the seats of `voice.engines_max`.

    Who listens live has others, and so has what encodes speech, which lasts as long as it is heard.
    """

    recordings: SniffedRecordings
    encoder: FfmpegEncoding
    transcriber: EmbeddedTranscriber
    synthesizer: EmbeddedSynthesizer


def speech_machine(settings: Settings) -> SpeechMachine:
    """The parts, with the programs that are installed."""
    voice, processors = settings.voice, os.cpu_count() or 1
    seats = EngineSeats(voice.engines_max or processors)
    bounds = ProcessBounds(seconds=voice.transcription_timeout_s, memory_bytes=_PROGRAM_MEMORY)
    ffmpeg = installed_ffmpeg(bounds)
    limits = RecordingBounds(
        octets=voice.recording_max_bytes,
        seconds=voice.recording_max_s,
        decoding_s=voice.transcription_timeout_s,
    )
    recordings = SniffedRecordings(limits, seats, ffmpeg)
    share = voice.encoders_per_owner or (voice.encoders_max + 1) // 2
    encoder = FfmpegEncoding(ffmpeg, EngineSeats(voice.encoders_max, share=share))
    transcriber = EmbeddedTranscriber(
        recordings,
        seats,
        EngineSeats(voice.listeners_max, wait_s=0.0),
        EngineLimits(
            seconds=voice.transcription_timeout_s,
            pace=voice.transcription_pace,
            memory_bytes=voice.engine_memory_bytes,
            threads=max(_FEWEST_THREADS, processors),
        ),
        {
            "faster-whisper": voice.faster_whisper_model,
            "sherpa-onnx": voice.sherpa_onnx_model,
        },
    )
    synthesizer = EmbeddedSynthesizer(
        encoder,
        seats,
        seconds=voice.speech_timeout_s,
        longest=voice.embedded_text_max,
        piper_voice=voice.piper_voice,
    )
    return SpeechMachine(recordings, encoder, transcriber, synthesizer)
