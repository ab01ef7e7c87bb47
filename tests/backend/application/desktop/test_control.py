"""Who has the control of a desktop, and that it is stored as the desktop itself says it."""

import asyncio

import pytest
from tests.backend.application.desktop.desk_fixture import PRINCIPAL, DeskFixture

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.desktops import DesktopTable
from cartrita.domain.desktop import DesktopId, Screenshot, Shot
from cartrita.domain.desktop_errors import Controlled
from cartrita.domain.errors import Unavailable
from cartrita.domain.principals import Principal


class LateTable(DesktopTable):
    """Stores that somebody has the control only when it is `let`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def hold(self, desktop_id: DesktopId, number: int, holder: str, seconds: float) -> None:
        self.asked.set()
        await self.let.wait()
        await super().hold(desktop_id, number, holder, seconds)


class BrokenTable(DesktopTable):
    """Cannot store that somebody has the control."""

    async def hold(self, desktop_id: DesktopId, number: int, holder: str, seconds: float) -> None:
        raise Unavailable("The database cannot be reached.")


async def test_two_people_do_not_have_the_control_at_once(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.leases.take(PRINCIPAL, session.public_id)
    await desk.leases.take(PRINCIPAL, session.public_id)
    other = Principal("ann", "another key")
    with pytest.raises(Controlled, match="Somebody else"):
        await desk.leases.take(other, session.public_id)
    with pytest.raises(Controlled):
        await desk.leases.release(other, session.public_id)
    found = await desk.sessions.get(PRINCIPAL, session.public_id)
    assert found.control is not None, "only who has it hands it back"
    assert [kind for kind, _ in await desk.film(session)] == ["person take_over"]


async def test_a_renewal_that_is_stored_late_does_not_undo_the_hand_back(pool: Database) -> None:
    desk, late = DeskFixture(pool), LateTable(pool)
    session = await desk.started()
    await desk.leases.take(PRINCIPAL, session.public_id)
    desk.leases._store = late
    renewing = asyncio.ensure_future(desk.leases.take(PRINCIPAL, session.public_id))
    await late.asked.wait()
    released = await desk.leases.release(PRINCIPAL, session.public_id)
    late.let.set()
    assert released.control is None
    assert (await renewing).control is None
    assert desk.screen(session).holder is None
    taken = await desk.leases.take(PRINCIPAL, session.public_id)
    assert taken.control is not None, "what comes later counts"


async def test_two_pages_of_one_person_are_one_take_over(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    for change in (desk.leases.take, desk.leases.release):
        await asyncio.gather(*(change(PRINCIPAL, session.public_id) for _ in range(3)))
    kinds = [kind for kind, _ in await desk.film(session)]
    assert kinds == ["person take_over", "person hand_back"]


async def test_who_cannot_be_told_that_they_have_it_has_it_not(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    desk.leases._store = BrokenTable(pool)
    with pytest.raises(Unavailable):
        await desk.leases.take(PRINCIPAL, session.public_id)
    await desk.do(session.conversation_id, Screenshot())
    assert [kind for kind, _ in await desk.film(session)] == ["agent screenshot"]


async def test_who_has_it_already_keeps_it_where_that_cannot_be_stored(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.leases.take(PRINCIPAL, session.public_id)
    desk.leases._store = BrokenTable(pool)
    with pytest.raises(Unavailable):
        await desk.leases.take(PRINCIPAL, session.public_id)
    assert desk.screen(session).holder == PRINCIPAL.key_id


async def test_the_control_changes_hands_where_nobody_can_see_the_screen(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()

    async def late() -> Shot:
        raise Unavailable("The desktop does not answer now.")

    monkeypatch.setattr(desk.screen(session), "look", late)
    taken = await desk.leases.take(PRINCIPAL, session.public_id)
    released = await desk.leases.release(PRINCIPAL, session.public_id)
    assert taken.control is not None
    assert released.control is None
    kinds = [kind for kind, _ in await desk.film(session)]
    assert kinds == ["person take_over", "person hand_back"]
