"""Answers that are spoken, and stored so that they can be played."""

from typing import NamedTuple

from msgspec.structs import replace

from cartrita.application.voice.live.sentences import Sentences
from cartrita.application.voice.speeches import Speeches
from cartrita.application.voice.spoken_files import ANSWERS, SpokenFiles
from cartrita.application.work_in_turn import WorkInTurn
from cartrita.domain.errors import CartritaError
from cartrita.domain.files import StoredFile
from cartrita.domain.ids import ConversationId
from cartrita.domain.principals import Principal
from cartrita.domain.speech import SpeechRequest


class SpokenAnswer(NamedTuple):
    """The file of a spoken answer, or why there is none."""

    file: StoredFile | None = None
    error: CartritaError | None = None


class SpokenAnswers:
    """Speaks answers for callers."""

    def __init__(self, speeches: Speeches, files: SpokenFiles, in_turn: WorkInTurn) -> None:
        self._speeches = speeches
        self._files = files
        self._in_turn = in_turn

    async def speak(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        message_id: str,
        request: SpeechRequest,
        synthesizer: str | None = None,
    ) -> SpokenAnswer:
        """The answer of this public id as a file of its conversation; it is spoken once.

        Its text is Markdown, of which is spoken what is read aloud in live conversations. An answer
        that cannot be spoken is one all the same: the error is told beside it.
        """
        stem = f"answer-{message_id}"
        aloud = replace(request, text=_aloud(request.text))

        async def spoken() -> bool:
            return await self._files.answer(principal, conversation_id, stem) is not None

        try:
            async with self._in_turn.holding(principal.owner_id, [stem], spoken):
                found = await self._files.answer(principal, conversation_id, stem)
                if found is not None:
                    return SpokenAnswer(found)
                async with self._speeches.speak(principal, aloud, synthesizer) as speech:
                    name = f"{stem}.{speech.format.value}"
                    made = await self._files.add(
                        principal, name, speech.pieces, conversation_id, ANSWERS
                    )
                    return SpokenAnswer(made)
        except CartritaError as error:
            return SpokenAnswer(error=error)


def _aloud(text: str) -> str:
    sentences = Sentences()
    return " ".join([*sentences.take(text), *sentences.finish()])
