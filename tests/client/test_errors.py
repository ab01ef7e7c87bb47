"""Errors that cross processes."""

import copy
import pickle

import pytest

from cartrita_client import CartritaError, NotCartrita, Unreachable, WaitingForApproval, kinds
from cartrita_client.generated.models import WaitingResponse

WAITING = WaitingResponse.model_construct(run_id="run_1")


@pytest.mark.parametrize(
    "error",
    [
        kinds.RateLimited("Later.", code="rate_limited", status=429, retry_after=3.0),
        kinds.Invalid("No.", code="invalid", fields={"message": ["It is empty."]}),
        Unreachable("Nobody is there.", sent=False),
        NotCartrita("A web page."),
        WaitingForApproval(WAITING),
    ],
)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_they_are_the_same_on_the_other_side(error: CartritaError, protocol: int) -> None:
    for other in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(other) is type(error)
        assert (str(other), vars(other)) == (str(error), vars(error))
