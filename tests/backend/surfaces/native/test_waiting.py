"""A request that waited for a run in vain is told why, and what there is of the answer."""

from typing import Any, cast

import pytest
from starlette.requests import Request
from tests.backend.surfaces.stopped_runs import RUN, stopped

from cartrita.application.access.open_connections import KeyEnded, OpenConnections, ServerStops
from cartrita.domain.errors import CartritaError, NotFound, Unavailable
from cartrita.domain.events import StopStatus
from cartrita.domain.ids import RunId
from cartrita.domain.principals import Principal
from cartrita.kit import ids
from cartrita.surfaces.native.waiting import wait_for_completion
from cartrita.surfaces.services import Services

ANN = Principal("ann", "key")


class Waited:
    """Services whose wait for a run ends with one error, and whose look at it with another."""

    def __init__(self, ends: CartritaError, lost: CartritaError | None = None) -> None:
        self.connections = OpenConnections()
        self.approvals = self.runs = self
        self._ends, self._lost = ends, lost

    async def wait(self, _principal: Principal, _run_id: RunId) -> None:
        raise self._ends

    async def get(self, _principal: Principal, _run: str) -> Any:
        if self._lost is not None:
            raise self._lost
        return RUN


async def waited(services: Waited) -> None:
    request = Request({"type": "http"})
    await wait_for_completion(request, cast("Services", services), ANN, RUN.id)


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


@pytest.mark.parametrize("ends", [KeyEnded(), ServerStops()])
async def test_who_cannot_wait_any_more_is_told_where_the_answer_will_be(
    ends: CartritaError,
) -> None:
    with pytest.raises(type(ends)) as told:
        await waited(Waited(ends))
    assert told.value.details["run_id"] == ids.public("run", RUN.id)


@pytest.mark.parametrize("lost", [NotFound("It was deleted."), Unavailable("It is away.")])
@pytest.mark.parametrize("ends", [KeyEnded(), ServerStops()])
async def test_who_cannot_wait_any_more_is_told_so_also_where_the_run_cannot_be_found(
    ends: CartritaError, lost: CartritaError
) -> None:
    with pytest.raises(CartritaError) as told:
        await waited(Waited(ends, lost))
    assert told.value is ends
    assert "run_id" not in told.value.details
