"""What came of asking a person to take a desktop over, as its film tells."""

from cartrita.application.desktop.films import Films
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.domain.ids import ConversationId
from cartrita.domain.ports.desktop_use import LastUser


class DesktopHandOvers:
    """Implements `HandOvers`."""

    def __init__(self, sessions: DesktopSessions, films: Films, memory: DesktopMemory) -> None:
        self._sessions = sessions
        self._films = films
        self._memory = memory

    async def last_user(self, conversation_id: ConversationId) -> LastUser:
        """See `HandOvers`."""
        session = await self._sessions.of_conversation(conversation_id)
        if session is None:
            return LastUser.AGENT
        self._memory.unsee(session.id)
        if session.control is not None:
            return LastUser.PERSON_STILL
        left = await self._films.is_left_by_person(session)
        return LastUser.PERSON if left else LastUser.AGENT
