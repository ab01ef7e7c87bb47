"""What the native API answers with: it is of the types that its documentation tells."""

from pydantic import TypeAdapter
from tests.backend.application.fakes import claim

from cartrita.domain import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import ModelAccepted, RunCompleted
from cartrita.domain.failovers import Failover
from cartrita.domain.fold import fold
from cartrita.domain.ids import RunId
from cartrita.domain.receipts import Receipt
from cartrita.kit.ids import uuid7
from cartrita.surfaces.native.schemas import ChatMetadata

FAILOVER = Failover("p", "m", "upstream_unavailable")
RECEIPT = Receipt("top_k", "openai", "none", "dropped", "It has none.")


def test_metadata_are_written_without_a_warning() -> None:
    accepted = ModelAccepted("p", "m", receipts=(RECEIPT,), failovers=(FAILOVER,))
    end = endings.completed(claim(), fold([accepted]), FinishReason.STOP, 1.5).event
    assert isinstance(end, RunCompleted)
    told = ChatMetadata.of(RunId(uuid7()), end)
    written = TypeAdapter(ChatMetadata).dump_python(told, mode="json")
    assert [one["code"] for one in written["failovers"]] == ["upstream_unavailable"]
    assert [one["field"] for one in written["receipts"]] == ["top_k"]
