"""The use cases of speech, over what transcribes, what speaks, and the runs that answer."""

from typing import Final

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.runs.runs import Runs
from cartrita.application.voice.services import VoiceServices
from cartrita.application.voice.speeches import Speeches
from cartrita.application.voice.spoken_answers import SpokenAnswers
from cartrita.application.voice.spoken_files import SpokenFiles
from cartrita.application.voice.spoken_messages import SpokenMessages
from cartrita.application.voice.takers import Patience
from cartrita.application.voice.transcriptions import Transcriptions
from cartrita.application.work_in_turn import WorkInTurn
from cartrita.assembly.files import FileParts
from cartrita.assembly.models import Models
from cartrita.assembly.storage import Storage
from cartrita.settings import Settings

_HELD_S: Final = 30.0
"""How long a request may be under way without a word of its process; that renews it."""


def create_voice_services(
    settings: Settings,
    storage: Storage,
    models: Models,
    files: FileParts,
    conversations: Conversations,
    runs: Runs,
) -> VoiceServices:
    """The use cases over these engines."""
    speech = models.speech
    transcriptions = Transcriptions(speech.transcribers, speech.calls, speech.recordings)
    patience = Patience(settings.voice.unheard_s, settings.voice.unheard_pace)
    speeches = Speeches(speech.synthesizers, speech.calls, patience)
    spoken = SpokenFiles(files.uploads, files.files)
    in_turn = WorkInTurn(storage.run_log.under_way, seconds=_HELD_S)
    return VoiceServices(
        transcriptions=transcriptions,
        speeches=speeches,
        messages=SpokenMessages(
            transcriptions,
            runs,
            conversations,
            storage.messages,
            storage.run_log.admission,
            spoken,
            in_turn,
            keep=settings.voice.keep_recordings,
        ),
        answers=SpokenAnswers(speeches, spoken, in_turn),
        in_turn=in_turn,
    )
