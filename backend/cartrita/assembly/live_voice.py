"""Live conversations over these engines, within the bounds of the settings."""

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.runs.runs import Runs
from cartrita.application.voice.live.conversation import LiveVoice
from cartrita.application.voice.live.options import LiveBounds
from cartrita.assembly.last_words import time_for_last_words
from cartrita.assembly.speech_engines import SpeechEngines
from cartrita.settings import Settings


def create_live_voice(
    settings: Settings, engines: SpeechEngines, runs: Runs, conversations: Conversations
) -> LiveVoice:
    """What opens them."""
    voice = settings.voice
    bounds = LiveBounds(
        frame_bytes=voice.frame_max_bytes,
        audio_wait_s=voice.audio_wait_s,
        audio_idle_s=voice.audio_idle_s,
        silence_s=voice.silence_s,
        barge_in_s=voice.barge_in_ms / 1000,
        final_words_s=time_for_last_words(settings).heard_s,
        ahead_s=voice.speech_ahead_s,
        metered_s=voice.metered_every_s,
    )
    return LiveVoice(
        engines.transcribers, engines.synthesizers, engines.calls, runs, conversations, bounds
    )
