"""Who looks after desktops ends those that stand still."""

import pytest
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture

from cartrita.adapters.persistence.database import Database
from cartrita.domain.desktop import Screenshot
from cartrita.domain.errors import Unavailable


async def test_one_that_stands_still_is_ended_by_who_looks_after_it_alone(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    dead = False

    async def fail(_: object) -> None:
        raise Unavailable("It does not answer in time.", code="desktop_unavailable")

    async def is_dead(_: object) -> bool:
        return dead

    monkeypatch.setattr(desk.screens, "find", fail)
    monkeypatch.setattr(desk.screens, "is_dead", is_dead)
    with pytest.raises(Unavailable):
        await desk.do(session.conversation_id, Screenshot())
    await desk.keeper.look()
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).alive
    dead = True
    await desk.keeper.look()
    assert (await desk.sessions.get(PRINCIPAL, session.public_id)).reason == "It died."
    assert desk.screens.stopped == [session.id]
