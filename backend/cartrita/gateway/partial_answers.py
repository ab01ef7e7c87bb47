"""What was said so far of one answer, and whether it could be continued from there."""

from collections.abc import Iterable

from cartrita.domain.deltas import (
    Accepted,
    Delta,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)


class PartialAnswer:
    """Collects the deltas of an answer; `plain` is true while they can be continued.

    That is so while they are text alone. Reasoning before it does no harm unless it is sealed: what
    is sealed belongs to the one answer that it came with.
    """

    def __init__(self, text: str = "") -> None:
        self._pieces = [text] if text else []
        self._others: list[str] = []
        self.plain = True

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    @property
    def written(self) -> str:
        """All that the model wrote so far: its reasoning and its calls too."""
        return "".join((*self._pieces, *self._others))

    def add(self, delta: Delta) -> None:
        """Add what was said next."""
        match delta:
            case TextDelta(text=text, logprobs=logprobs):
                self._pieces.append(text)
                self.plain = self.plain and not logprobs
            case ReasoningDelta(text=text):
                self._others.append(text)
                self.plain = self.plain and not delta.sealed
            case Accepted() | Finished():
                pass
            case ToolCallDelta(name=name, arguments=arguments):
                self._others.append((name or "") + arguments)
                self.plain = False
            case RefusalDelta(text=text):
                self._others.append(text)
                self.plain = False
            case _:
                self.plain = False

    @classmethod
    def of(cls, deltas: Iterable[Delta]) -> "PartialAnswer":
        """What these deltas say."""
        partial = cls()
        for delta in deltas:
            partial.add(delta)
        return partial
