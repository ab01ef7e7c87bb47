"""The branches of a conversation: where they part, and which is the current one."""

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.conversations.messages import Messages
from cartrita.domain.conversations import Conversation
from cartrita.domain.messages import Siblings
from cartrita.domain.ports.conversations import BranchStore
from cartrita.domain.principals import Principal

SIBLINGS_MAX = 1_000


class Branches:
    """Branches of the principal's own conversations; those of others raise NotFound."""

    def __init__(
        self, store: BranchStore, conversations: Conversations, messages: Messages
    ) -> None:
        self._store = store
        self._conversations = conversations
        self._messages = messages

    async def siblings(self, principal: Principal, conversation: str) -> list[Siblings]:
        """The groups of messages that are beside each other, the lowest `SIBLINGS_MAX` of them."""
        found = await self._conversations.get(principal, conversation)
        return await self._store.siblings(principal.owner_id, found.id, SIBLINGS_MAX)

    async def select(self, principal: Principal, conversation: str, message: str) -> Conversation:
        """Make the branch through a message the current one, down to its newest end.

        Raises Conflict while something is being answered there.
        """
        chosen = await self._messages.get(principal, conversation, message)
        await self._store.select(principal.owner_id, chosen.conversation_id, chosen.id)
        return await self._conversations.get(principal, conversation)
