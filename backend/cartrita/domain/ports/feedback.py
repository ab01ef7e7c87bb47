"""The ports of feedback."""

from datetime import datetime
from typing import Protocol

from cartrita.domain.feedback import Feedback, Score, ScoreOutcome
from cartrita.domain.ids import MessageId


class FeedbackStore(Protocol):
    """Keeps the latest feedback on each answer; it goes with its message.

    The score of what is gone is taken back, where it was `scored` once.
    """

    async def put(self, owner_id: str, given: Feedback, *, scored: bool) -> None:
        """Store it, over what was there; as an unsent score too where it is `scored`.

        Raises NotFound where the message is gone.
        """
        ...

    async def get(self, owner_id: str, message_id: MessageId) -> Feedback | None:
        """The feedback on an answer."""
        ...

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        """Take it back; whether there was any."""
        ...


class UnsentScores(Protocol):
    """The scores that are still to be sent: the latest of each answer."""

    async def claim(self, again_s: float) -> Score | None:
        """One that is due, which is due again later: after `again_s` seconds, and longer each time.

        No other process is given it before then, or what it is changed to, unless it was `sent`.
        """
        ...

    async def sent(self, score: Score) -> None:
        """It need not be sent again; if it was changed meanwhile, that is due now."""
        ...

    async def again(self, score: Score, again_s: float) -> None:
        """It was sent, and is due again after `again_s` seconds; if it was changed, that is now."""
        ...

    async def forget(self, before: datetime) -> int:
        """Give up what was given before a moment; how many that were."""
        ...

    async def count(self, before: datetime) -> int:
        """How many there are that were given before a moment, of all processes."""
        ...


class ScoreReceiver(Protocol):
    """Whoever keeps the traces of runs."""

    async def take(self, score: Score) -> ScoreOutcome | None:
        """Send a score. None if that has to be tried again; an operator is told why.

        To send the same again changes nothing. Raises nothing that a server may do.
        """
        ...
