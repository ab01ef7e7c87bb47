"""What was said so far of one answer, and whether it could be continued from there."""

from collections.abc import Iterable

from cartrita.domain.deltas import Accepted, Delta, Finished, ReasoningDelta, TextDelta


class Transcript:
    """Collects the deltas of an answer; `plain` is true while they can be continued.

    That is so while they are text alone. Reasoning before it does no harm unless it is sealed: what
    is sealed belongs to the one answer that it came with.
    """

    def __init__(self, text: str = "") -> None:
        self._pieces = [text] if text else []
        self.plain = True

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    def add(self, delta: Delta) -> None:
        """Add what was said next."""
        match delta:
            case TextDelta(text=text, logprobs=logprobs):
                self._pieces.append(text)
                self.plain = self.plain and not logprobs
            case ReasoningDelta():
                self.plain = self.plain and not delta.sealed
            case Accepted() | Finished():
                pass
            case _:
                self.plain = False

    @classmethod
    def of(cls, deltas: Iterable[Delta]) -> "Transcript":
        """The transcript of these deltas."""
        transcript = cls()
        for delta in deltas:
            transcript.add(delta)
        return transcript
