"""A request whose run stopped early is told what there is of the answer."""

from tests.backend.surfaces.stopped_runs import RUN, stopped

from cartrita.domain.events import StopStatus
from cartrita.kit import ids


def test_a_stopped_answer_carries_its_ids_and_the_partial_answer() -> None:
    error = stopped(StopStatus.INTERRUPTED, provider="p")
    assert error.details == {
        "provider": "p",
        "run_id": ids.public("run", RUN.id),
        "conversation_id": ids.public("conv", RUN.conversation_id),
        "message_id": ids.public("msg", RUN.message_id),
        "recoverable": True,
        "partial_response": "Hel",
    }
