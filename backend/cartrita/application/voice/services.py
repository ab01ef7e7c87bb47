"""The use cases of speech, as the surfaces get them."""

from typing import NamedTuple

from cartrita.application.voice.speeches import Speeches
from cartrita.application.voice.spoken_answers import SpokenAnswers
from cartrita.application.voice.spoken_messages import SpokenMessages
from cartrita.application.voice.transcriptions import Transcriptions
from cartrita.application.work_in_turn import WorkInTurn


class VoiceServices(NamedTuple):
    """Transcription and speech, and what is built of both."""

    transcriptions: Transcriptions
    speeches: Speeches
    messages: SpokenMessages
    answers: SpokenAnswers
    in_turn: WorkInTurn
