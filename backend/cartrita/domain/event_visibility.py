"""Which events of a run a person sees something of the answer by."""

from cartrita.domain.events import (
    Event,
    HistorySummarized,
    ModelAccepted,
    ProviderAwaited,
    ReasoningAppended,
    ReasoningSealed,
    RunStarted,
    SourceFound,
    TextAppended,
    ToolCalled,
    UnknownEvent,
    UsageRecorded,
    VendorPartAdded,
)

_UNSEEN = (RunStarted, ModelAccepted, ProviderAwaited, HistorySummarized, UsageRecorded)


def is_visible(event: Event) -> bool:
    """Whether a user sees a part of the answer once this event is delivered."""
    return not isinstance(event, _UNSEEN)


def is_said(event: Event) -> bool:
    """Whether it is a piece of what the model of the answering agent says.

    A step of which this much was seen cannot be made again.
    """
    match event:
        case TextAppended() | ReasoningAppended() | ReasoningSealed() | VendorPartAdded():
            return True
        case UnknownEvent():  # nobody knows what was seen of it
            return True
        case ToolCalled(task_id=task_id) | SourceFound(task_id=task_id):
            return task_id is None
        case _:
            return False
