"""Failures of work that is repeated, of which each kind is told in full once."""

from types import TracebackType


class RepeatedFailures:
    """Knows how each piece of work has failed since it last succeeded."""

    def __init__(self) -> None:
        self._known: dict[str, set[tuple[type[BaseException], str, int]]] = {}

    def is_new(self, work: str, error: BaseException) -> bool:
        """Whether this work failed in another way so far: by another error, or elsewhere."""
        known = self._known.setdefault(work, set())
        kind = (type(error), *_place(error.__traceback__))
        new = kind not in known
        known.add(kind)
        return new

    def forget(self, work: str) -> None:
        """This work succeeded: its next failure is new."""
        self._known.pop(work, None)


def _place(trace: TracebackType | None) -> tuple[str, int]:
    """The file and the line that raised."""
    if trace is None:
        return "", 0
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno
