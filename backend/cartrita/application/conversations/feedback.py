"""What people think of answers."""

from cartrita.application.conversations.scores import Scores
from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.feedback import Feedback
from cartrita.domain.messages import Role, StoredMessage
from cartrita.domain.ports.conversations import ItemStore
from cartrita.domain.ports.feedback import FeedbackStore
from cartrita.domain.principals import Principal
from cartrita.kit import clock, ids


class AnswerFeedback:
    """Feedback on the principal's own answers."""

    def __init__(
        self, store: FeedbackStore, items: ItemStore, scores: Scores | None = None
    ) -> None:
        """Where traces are kept, `scores` are what is told there."""
        self._store = store
        self._items = items
        self._scores = scores

    async def give(
        self, principal: Principal, message: str, score: float, comment: str | None
    ) -> Feedback:
        """Store it, over what was given before. Raises NotFound, and InvalidInput."""
        found = await self._answer(principal, message)
        given = Feedback(
            message_id=found.id,
            run_id=found.run_id,
            score=score,
            comment=(comment or "").strip() or None,
            given_at=clock.now(),
        )
        scored = self._scored(found)
        await self._store.put(principal.owner_id, given, scored=scored is not None)
        if scored is not None:
            scored.given()
        return given

    async def get(self, principal: Principal, message: str) -> Feedback:
        """The feedback on an answer. Raises NotFound where there is none."""
        found = await self._answer(principal, message)
        given = await self._store.get(principal.owner_id, found.id)
        if given is None:
            raise NotFound.of("feedback")
        return given

    async def take_back(self, principal: Principal, message: str) -> None:
        """Delete the feedback on an answer. Raises NotFound where there is none."""
        found = await self._answer(principal, message)
        if not await self._store.delete(principal.owner_id, found.id):
            raise NotFound.of("feedback")
        if self._scores is not None:
            self._scores.given()

    def _scored(self, answer: StoredMessage) -> Scores | None:
        """Who tells the score of an answer."""
        scores = self._scores
        return scores if scores is not None and scores.wants(answer.run_id) else None

    async def _answer(self, principal: Principal, message: str) -> StoredMessage:
        identity = ids.parse("msg", message)
        stored = [] if identity is None else await self._items.find(principal.owner_id, [identity])
        found = next((one for one in stored if one.id == identity), None)
        if found is None:
            raise NotFound.of("message")
        if found.message.role is not Role.ASSISTANT:
            raise InvalidInput.of("message", "feedback is given on answers")
        return found
