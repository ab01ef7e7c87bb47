"""Runs are executed with what their key may do at that moment."""

from tests.backend.application.executor_fixture import HALF, ExecutorFixture
from tests.backend.application.fakes import DONE, claim

from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.events import RunCompleted, RunStopped
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Ending, RunInput
from cartrita.domain.scopes import NOTHING, UNLIMITED, Scopes

INPUT = RunInput(agent="supervisor", provider="p", model="m")


class Keys:
    """One key of ann, or none."""

    def __init__(self, scopes: Scopes | None) -> None:
        self._scopes = scopes

    async def active(self, owner_id: str, key_id: str) -> ActiveKey | None:
        if self._scopes is None or (owner_id, key_id) != ("ann", "key"):
            return None
        return ActiveKey(Principal("ann", "key", "home", self._scopes), b"")


async def ending(scopes: Scopes | None, key_id: str | None = "key") -> Ending:
    fixture = ExecutorFixture(HALF, DONE, keys=Keys(scopes))
    asked = INPUT if key_id is None else INPUT.asked_with(key_id)
    return await fixture.ending(claim(input=asked))


async def test_a_key_that_works_and_an_old_run_without_one() -> None:
    assert isinstance((await ending(UNLIMITED)).event, RunCompleted)
    assert isinstance((await ending(None, key_id=None)).event, RunCompleted)


async def test_a_key_that_ended_or_may_do_less_now() -> None:
    for scopes, code in (
        (None, "key_ended"),
        (NOTHING, "scope_operation"),
        (Scopes(models=("p/other",)), "scope_model"),
    ):
        event = (await ending(scopes)).event
        assert isinstance(event, RunStopped)
        assert event.code == code


async def test_a_providers_key_that_is_not_in_memory_any_more() -> None:
    event = (await ending(None, key_id="byok:0123")).event
    assert isinstance(event, RunStopped)
    assert event.code == "provider_key_gone"
