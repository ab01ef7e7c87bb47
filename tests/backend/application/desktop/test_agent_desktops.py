"""What agents do on desktops: looked at, filmed, halted, refused while a person has control."""

import asyncio
from itertools import count

import pytest
from msgspec.structs import replace
from sqlalchemy import update
from tests.backend.application.desktop.desk_fixture import LIMITS, PRINCIPAL, DeskFixture
from tests.backend.tools.contexts import context
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.runs import runs
from cartrita.application.desktop.films import FilmedAction
from cartrita.application.desktop.hand_overs import DesktopHandOvers
from cartrita.domain.approvals import Approval, Decision
from cartrita.domain.desktop import Click, Done, HoldKey, Key, Move, Point, Screenshot, Type, Wait
from cartrita.domain.desktop_errors import (
    ActionBrokeOff,
    ActionRefused,
    Controlled,
    DesktopGone,
    ScreenChanged,
)
from cartrita.domain.desktop_films import NOT_FILMED, UNSETTLED, Shown
from cartrita.domain.errors import Conflict, StorageFull, Unavailable
from cartrita.domain.files import FileQuota
from cartrita.domain.ids import RunId
from cartrita.domain.step_places import StepPlace
from cartrita.kit import clock
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret
from cartrita.tools.ask_for_hand_over import hand_over_tool
from cartrita.tools.tool import AgentStuck, ToolOutput

HERE, OUTSIDE = Click(Point(5, 5)), Click(Point(5, 900))


def approved(desk: DeskFixture, shown: Shown | None) -> Approval:
    """What a person approved of, having seen this."""
    return Approval(
        id=uuid7(), run_id=desk.run_id, owner_id="ann", place=StepPlace((1, 1)), call_id="c1",
        agent="computer_use", tool="computer", arguments={}, arguments_hash="",
        expires_at=clock.now(), decision=Decision.APPROVED, shown=shown, decided_by="k7",
    )  # fmt: skip


async def test_a_first_call_starts_a_desktop_and_shows_it(pool: Database) -> None:
    desk = DeskFixture(pool)
    conversation = await desk.conversation()
    outcome = await desk.do(conversation, Screenshot())
    assert (outcome.success, outcome.text, len(outcome.pictures)) == (True, "Done.", 1)
    session = await desk.sessions.of_conversation(conversation)
    assert session is not None
    file = await desk.files.get(PRINCIPAL, outcome.pictures[0])
    assert (file.purpose, file.image_type, file.settled) == ("screenshot", "image/png", True)
    assert file.conversation_id == conversation


async def test_nothing_is_done_before_the_agent_has_looked(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    outcome = await desk.do(session.conversation_id, HERE)
    assert not outcome.success
    assert outcome.text.startswith("Nothing was done")
    assert desk.screen(session).done == [Screenshot()]
    assert (await desk.do(session.conversation_id, HERE)).success
    assert desk.screen(session).done == [Screenshot(), HERE]


async def test_what_was_approved_for_this_desktop_is_done_without_another_look(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    shown = await desk.shown(session.conversation_id, HERE)
    assert shown is not None
    assert [(one.index, one.action, one.points) for one in shown.markers] == [
        (1, "click", (Point(5, 5),))
    ]
    desk.memory.unsee(session.id)  # as if another process went on
    approval = approved(desk, shown)
    outcome = await desk.do(session.conversation_id, HERE, approval=approval)
    assert outcome.success
    frames = await desk.films.page(PRINCIPAL, session.public_id)
    assert [one.approved_by for one in frames] == [None, "k7"]
    await desk.sessions.end(session, "x")
    again = await desk.do(session.conversation_id, HERE, approval=approval)
    assert not again.success, "another desktop is not what the person has seen"


async def test_of_a_batch_in_which_one_cannot_be_done_nothing_is(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    outcome = await desk.do(session.conversation_id, Move(Point(1, 1)), OUTSIDE, HERE)
    assert (outcome.success, len(outcome.pictures)) == (False, 1)
    assert outcome.text == (
        "Nothing was done. Action 2 of 3 cannot be done. The point is outside of the screen "
        "(1280 x 800)."
    )
    assert desk.screen(session).done == [Screenshot(), Screenshot()]
    assert (await desk.do(session.conversation_id, HERE)).success, "it was shown the screen"


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (Wait(31.0), "at most 30 seconds"),
        (Type("x" * 101), "at most 100 characters"),
        (Key(("xyz",)), 'There is no key "xyz".'),
        (Type(secret="NOBODY"), "no secret of this name"),
    ],
)
async def test_what_cannot_be_done_is_told(
    pool: Database, action: Wait | Type | Key, told: str
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    outcome = await desk.do(session.conversation_id, action)
    assert not outcome.success
    assert told in outcome.text
    assert set(desk.screen(session).done) == {Screenshot()}


async def test_secrets_are_typed_and_filmed_by_their_names(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.screen(session).keep({"PASSWORD": Secret("canary-9")}, desk.run_id)
    await desk.do(session.conversation_id, Screenshot())
    await desk.do(session.conversation_id, Type(secret="PASSWORD"))
    assert desk.screen(session).typed == ["canary-9"]
    frames = await desk.films.page(PRINCIPAL, session.public_id)
    assert frames[-1].action == {"type": "type", "secret": "PASSWORD"}


@pytest.mark.parametrize("others", [RunId(uuid7()), None])
async def test_a_run_types_no_secret_of_another(pool: Database, others: RunId | None) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.screen(session).keep({"PASSWORD": Secret("canary-9")}, others)
    await desk.do(session.conversation_id, Screenshot())
    typed = Type(secret="PASSWORD")
    with pytest.raises(ActionRefused, match="no secret"):
        await desk.shown(session.conversation_id, typed)
    for actions in ((typed,), (Screenshot(), typed)):
        outcome = await desk.do(session.conversation_id, *actions)
        assert (outcome.success, "no secret" in outcome.text) == (False, True)
    assert desk.screen(session).typed == []


async def test_time_is_looked_at_between_actions(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    left = iter((1.0, 0.0, 0.0))
    outcome = await desk.do(session.conversation_id, HERE, HERE, HERE, left=lambda: next(left))
    assert not outcome.success
    assert "time of this answer is used up" in outcome.text
    assert desk.screen(session).done == [Screenshot(), HERE, Screenshot()], "and it is shown"


async def test_an_agent_that_only_looks_at_the_same_is_stopped(pool: Database) -> None:
    desk = DeskFixture(pool)
    conversation = (await desk.started()).conversation_id
    for _ in range(2):
        await desk.do(conversation, Screenshot())
    await desk.do(conversation, HERE)
    await desk.do(conversation, Screenshot())
    await desk.do(conversation, Screenshot())
    with pytest.raises(AgentStuck, match="3 times in a row"):
        await desk.do(conversation, Screenshot())


async def test_one_run_that_only_looked_does_not_stop_the_next(pool: Database) -> None:
    desk = DeskFixture(pool)
    conversation = (await desk.started()).conversation_id
    for _ in range(2):
        await desk.do(conversation, Screenshot())
    with pytest.raises(AgentStuck):
        await desk.do(conversation, Screenshot())
    for _ in range(4):
        await desk.do(conversation, Screenshot(), run_id=RunId(uuid7()))


async def test_what_was_done_before_a_person_took_over_is_told_as_done(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    screen = desk.screen(session)

    def left() -> None:
        screen.holder = "ann" if len(screen.done) == 2 else None

    working = asyncio.ensure_future(desk.do(session.conversation_id, HERE, HERE, HERE, left=left))
    await desk.told_something.wait()
    screen.holder = None
    told = (await working).text
    assert told.startswith("Action 1 was done. Action 2 of 3 was not done, nor those after it. ")
    assert "handed it back" in told
    assert screen.done.count(HERE) == 1


async def test_a_person_who_takes_over_is_not_disturbed(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    taken = await desk.leases.take(PRINCIPAL, session.public_id, "Signing in.")
    assert taken.control is not None
    working = asyncio.ensure_future(desk.do(session.conversation_id, HERE, HERE))
    await desk.told_something.wait()
    await desk.leases.release(PRINCIPAL, session.public_id)
    outcome = await working
    assert (outcome.success, outcome.pictures) == (False, ())
    assert "handed it back" in outcome.text
    assert HERE not in desk.screen(session).done
    assert not (await desk.do(session.conversation_id, HERE)).success, "it has to look first"
    refused = Controlled.by_person().message
    assert await desk.film(session) == [
        ("agent screenshot", None),
        ("person take_over", None),
        ("agent click", refused),
        ("person hand_back", None),
        ("agent click", ScreenChanged.unseen().message),
        ("agent screenshot", None),
    ]


async def test_an_agent_looks_again_also_where_another_worker_gave_a_person_the_control(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    other, session = desk.another_worker(), await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    assert (await desk.do(session.conversation_id, HERE)).success
    await other.leases.take(PRINCIPAL, session.public_id)
    await other.leases.release(PRINCIPAL, session.public_id)
    outcome = await desk.do(session.conversation_id, HERE)
    assert not outcome.success
    assert "may have changed" in outcome.text
    assert desk.screen(session).done == [Screenshot(), HERE, Screenshot()]
    assert (await desk.do(session.conversation_id, HERE)).success


async def test_what_a_person_does_is_not_shown_to_an_agent_that_is_refused(pool: Database) -> None:
    desk = DeskFixture(pool, actions=replace(LIMITS, handover_s=0.05))
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    held, shown = HoldKey(("a",), 60.0), await desk.shown(session.conversation_id, HERE)
    await desk.leases.take(PRINCIPAL, session.public_id)
    desk.screen(session).show_something_else()
    outcome = await desk.do(session.conversation_id, held, approval=approved(desk, shown))
    assert (outcome.success, outcome.pictures) == (False, ())
    assert "A person is using the desktop" in outcome.text


async def test_what_was_approved_before_a_person_used_the_desktop_is_not_done(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    shown = await desk.shown(session.conversation_id, HERE)
    await desk.leases.take(PRINCIPAL, session.public_id)
    desk.screen(session).show_something_else()
    await desk.leases.release(PRINCIPAL, session.public_id)
    outcome = await desk.do(session.conversation_id, HERE, approval=approved(desk, shown))
    assert not outcome.success
    assert outcome.text.startswith("Nothing was done")
    assert desk.screen(session).done == [Screenshot(), Screenshot()]
    shown = await desk.shown(session.conversation_id, HERE)
    again = await desk.do(session.conversation_id, HERE, approval=approved(desk, shown))
    assert again.success, "who has seen it as it is may approve"


async def test_what_was_approved_of_a_screen_that_has_changed_there_is_not_done(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    shown = await desk.shown(session.conversation_id, HERE)
    desk.screen(session).show_something_else()
    outcome = await desk.do(session.conversation_id, HERE, approval=approved(desk, shown))
    assert not outcome.success
    assert outcome.text.startswith("Nothing was done. The screen may have changed")
    assert desk.screen(session).done == [Screenshot(), Screenshot()]
    assert len(outcome.pictures) == 1, "it is shown what is there now"
    nowhere = Key(("Return",))
    shown = await desk.shown(session.conversation_id, nowhere)
    desk.screen(session).show_something_else()
    again = await desk.do(session.conversation_id, nowhere, approval=approved(desk, shown))
    assert again.success, "it has no place to look at"


async def test_a_call_that_looks_first_does_no_more_than_that_on_a_screen_that_is_not_seen(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    outcome = await desk.do(session.conversation_id, Screenshot(), Type("x"), HERE)
    assert (outcome.success, len(outcome.pictures)) == (False, 1)
    assert outcome.text.startswith("Nothing was done")
    assert desk.screen(session).done == [Screenshot()]
    assert (await desk.do(session.conversation_id, Screenshot(), Type("x"), HERE)).success


async def test_nobody_is_asked_about_what_cannot_be_done(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    with pytest.raises(ActionRefused, match="Action 1 of 2 cannot be done"):
        await desk.shown(session.conversation_id, OUTSIDE, HERE)
    for unknown in (Key(("xyz",)), Type(secret="NOBODY")):
        with pytest.raises(ActionRefused, match="There is no"):
            await desk.shown(session.conversation_id, unknown)
    with pytest.raises(ActionRefused, match="at most 30 seconds"):
        await desk.shown(session.conversation_id, HERE, HoldKey(("a",), 60.0))


async def test_an_agent_does_not_wait_for_ever(pool: Database) -> None:
    desk = DeskFixture(pool, actions=replace(LIMITS, handover_s=0.05))
    session = await desk.started()
    await desk.leases.take(PRINCIPAL, session.public_id)
    outcome = await desk.do(session.conversation_id, Screenshot())
    assert "A person is using the desktop" in outcome.text
    assert desk.screen(session).done == []


async def test_the_desktop_is_asked_whether_it_was_handed_back(pool: Database) -> None:
    desk = DeskFixture(pool, actions=replace(LIMITS, handover_s=0.05))
    session = await desk.started()
    desk.screen(session).holder = "ann"  # as if to store it had failed
    for _ in range(2):
        outcome = await desk.do(session.conversation_id, Screenshot())
        assert "A person is using the desktop" in outcome.text
    with pytest.raises(AgentStuck):
        await desk.do(session.conversation_id, Screenshot())


async def test_agents_of_one_run_use_a_desktop_one_after_the_other(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    first, second = StepPlace((1, 1)), StepPlace((1, 2))
    await desk.do(session.conversation_id, Screenshot(), place=first.step(1).call(1))
    unseen = await desk.do(session.conversation_id, Type("x"), place=second.step(1).call(1))
    assert not unseen.success, "only the other has seen it"

    async def typing(letter: str, task: StepPlace) -> None:
        actions = [Type(f"{letter}{number}") for number in range(3)]
        places = (task.step(number).call(1) for number in count(2))
        while not (await desk.do(session.conversation_id, *actions, place=next(places))).success:
            pass

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(typing("a", first))
        tasks.create_task(typing("b", second))
    typed = desk.screen(session).typed
    assert typed in (["a0", "a1", "a2", "b0", "b1", "b2"], ["b0", "b1", "b2", "a0", "a1", "a2"])
    assert Screenshot() in desk.screen(session).done[3:-3], "each looks what the other has done"


async def test_a_desktop_that_dies_is_told_of_and_replaced(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    desk.screen(session).gone = True
    with pytest.raises(DesktopGone):
        await desk.do(session.conversation_id, HERE)
    assert not (await desk.do(session.conversation_id, HERE)).success
    again = await desk.sessions.of_conversation(session.conversation_id)
    assert again is not None
    assert again.id != session.id
    assert desk.screen(again).done == [Screenshot()]


@pytest.mark.parametrize("gone", [False, True])
async def test_what_broke_off_may_be_done(pool: Database, *, gone: bool) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    screen = desk.screen(session)
    shown = await desk.shown(session.conversation_id, HERE)
    screen.fails, screen.ends = ActionBrokeOff("It took too long."), gone
    with pytest.raises(ActionBrokeOff, match="Action 1 of 2 broke off, and may be done"):
        await desk.do(session.conversation_id, HERE, HERE)
    [_, (kind, error)] = await desk.film(session)
    assert (kind, error) == ("agent click", f"{UNSETTLED} It took too long.")
    screen.fails = None
    again = await desk.do(session.conversation_id, HERE, approval=approved(desk, shown))
    assert not again.success, "it has to look first, also if a person approved before that"
    assert screen.done.count(HERE) == 1
    assert (session.id in desk.screens.running) is not gone


async def test_a_look_that_broke_off_did_nothing(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    desk.screen(session).fails = ActionBrokeOff("It took too long.")
    with pytest.raises(Unavailable, match=r"^It took too long\.$"):
        await desk.do(session.conversation_id, Screenshot())


async def test_what_is_done_and_cannot_be_filmed_is_told_as_done(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    desk.pictures._quota = FileQuota(1, 1)
    outcome = await desk.do(session.conversation_id, HERE, HERE)
    assert (outcome.success, outcome.pictures) == (False, ())
    assert outcome.text.startswith("Action 1 of 2 was done; those after it were not.")
    assert "Do not do it again" in outcome.text
    for _ in range(2):
        unseen = await desk.do(session.conversation_id, HERE)
        assert (unseen.success, unseen.pictures) == (False, ())
        assert "How it looks now could not be shown: " in unseen.text
        with pytest.raises(StorageFull):
            await desk.do(session.conversation_id, Screenshot())
    assert desk.screen(session).done.count(HERE) == 1
    assert (await desk.film(session))[:2] == [
        ("agent screenshot", None),
        ("agent click", NOT_FILMED),
    ]


async def test_what_is_stopped_is_filmed_too(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    working = asyncio.ensure_future(desk.do(session.conversation_id, Wait(20.0)))
    await desk.screen(session).hangs.wait()
    assert await desk.film(session) == [("agent screenshot", None)], "not what is under way"
    [_, begun] = await desk.films.of_run(PRINCIPAL, desk.run_id)
    assert begun.error == UNSETTLED, "should this process die now"
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    [_, (kind, error)] = await desk.film(session)
    assert kind == "agent wait"
    assert error is not None
    assert error.startswith("It was stopped")


async def test_what_nobody_saw_the_end_of_is_in_the_film_of_an_ended_desktop(
    pool: Database,
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    filmed = FilmedAction(action=HERE, index=1, run_id=desk.run_id, call_id="c1")
    await desk.films.begin(session, filmed)
    assert await desk.film(session) == []
    await desk.sessions.end(session, "x")
    assert await desk.film(session) == [("agent click", UNSETTLED)]


async def test_what_is_under_way_is_told_in_its_place(
    pool: Database, database: TemporaryDatabase
) -> None:
    desk = DeskFixture(pool)
    conversation = await stored_conversation(pool)
    [message] = await stored_branch(pool, conversation, "Do it.")
    session = await desk.sessions.start(ANN, conversation.id)
    run_id = RunId(await stored_run(database.dsn, conversation, message.id, status="running"))
    filmed = FilmedAction(action=HERE, index=1, run_id=run_id, call_id="c1")
    number = await desk.films.begin(session, filmed)
    await desk.leases.take(PRINCIPAL, session.public_id)  # while its pictures are stored
    assert await desk.film(session) == [], "who has read the one after it does not ask for it"
    done = await desk.screen(session).look()
    await desk.films.done(session, number, filmed, Done(before=done, after=done, seconds=0.1))
    assert await desk.film(session) == [("agent click", None), ("person take_over", None)]
    await desk.films.begin(session, filmed)
    ended = update(runs).where(runs.c.id == run_id).values(status="failed")
    assert len(await desk.film(session)) == 2
    async with pool.use() as connection:
        await connection.execute(ended)
    assert (await desk.film(session))[2:] == [("agent click", UNSETTLED)]


async def test_a_film_has_an_end_for_agents(pool: Database) -> None:
    desk = DeskFixture(pool, most=2)
    session = await desk.started()
    await desk.leases.take(PRINCIPAL, session.public_id)
    await desk.leases.release(PRINCIPAL, session.public_id)
    await desk.do(session.conversation_id, Screenshot())
    with pytest.raises(Conflict) as refused:
        await desk.do(session.conversation_id, HERE, HERE, HERE)
    assert refused.value.code == "film_full"
    assert refused.value.message.startswith("Action 1 was done. Action 2 of 3 was not done")
    assert desk.screen(session).done == [Screenshot(), HERE], "what cannot be filmed is not done"
    for _ in range(2):  # the second time, its room for persons is full, too
        taken = await desk.leases.take(PRINCIPAL, session.public_id)
        assert taken.control is not None
        released = await desk.leases.release(PRINCIPAL, session.public_id)
        assert released.control is None
    assert [kind for kind, _ in await desk.film(session)] == [
        *("person take_over", "person hand_back", "agent screenshot", "agent click")
    ]


async def test_a_person_whose_pictures_cannot_be_stored_is_filmed_without(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    desk.pictures._quota = FileQuota(1, 1)
    desk.screen(session).show_something_else()
    await desk.leases.take(PRINCIPAL, session.public_id)
    await desk.leases.release(PRINCIPAL, session.public_id)
    assert await desk.films.is_left_by_person(session)
    kinds = [kind for kind, _ in await desk.film(session)]
    assert kinds == ["agent screenshot", "person take_over", "person hand_back"]


async def test_what_is_known_of_a_call_is_told_where_its_film_cannot_be_stored(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())

    async def fail(*_: object) -> None:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(desk.films, "failed", fail)
    desk.screen(session).fails = ActionBrokeOff("It took too long.")
    with pytest.raises(ActionBrokeOff, match="may be done; those after it were not"):
        await desk.do(session.conversation_id, HERE, HERE)


async def test_a_desktop_that_is_gone_within_a_call_tells_what_was_done(pool: Database) -> None:
    desk = DeskFixture(pool)
    session = await desk.started()
    await desk.do(session.conversation_id, Screenshot())
    screen = desk.screen(session)

    def left() -> None:
        screen.gone = len(screen.done) == 3

    with pytest.raises(DesktopGone) as gone:
        await desk.do(session.conversation_id, HERE, HERE, HERE, left=left)
    assert gone.value.message.startswith("Actions 1 to 2 were done. Action 3 of 3 was not done.")


async def test_whether_a_person_had_the_desktop_is_told_as_it_was(pool: Database) -> None:
    desk = DeskFixture(pool)
    conversation = await desk.conversation()
    hand_overs = DesktopHandOvers(desk.sessions, desk.films, desk.memory)
    asking = hand_over_tool(desk.use, hand_overs)
    call = context(conversation_id=conversation)

    async def told() -> ToolOutput:
        return await asking.run(call, {"reason": "Please sign in."})

    assert "nobody has taken" in (await told()).text, "there is no desktop yet"
    await desk.do(conversation, Screenshot())
    session = await desk.sessions.of_conversation(conversation)
    assert session is not None
    nobody = await told()
    assert not nobody.success
    assert "nobody has taken" in nobody.text
    assert not (await desk.do(conversation, HERE)).success, "it has to look first"
    await desk.leases.take(PRINCIPAL, session.public_id)
    assert "still uses" in (await told()).text
    await desk.leases.release(PRINCIPAL, session.public_id)
    handed_back = await told()
    assert handed_back.success
    assert "has handed the desktop back" in handed_back.text
    assert HERE not in desk.screen(session).done
