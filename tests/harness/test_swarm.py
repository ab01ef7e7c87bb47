"""A swarm is seeded: the same seed makes the same plans, and every habit is lived."""

from itertools import chain

from tests.harness.records import Plan
from tests.harness.swarm import Owner, Swarm, World


def plans(seed: int, count: int = 300) -> list[Plan]:
    owners = (Owner(), Owner("owner_2", "ck_2"))
    swarm = Swarm(World(ports=(1,), seed=seed, owners=owners))
    swarm.conversations = {"local": ["conv_a", "conv_b"]}
    return list(chain.from_iterable(swarm.next_plans() for _ in range(count)))


def test_the_same_seed_makes_the_same_plans() -> None:
    assert plans(1) == plans(1)
    assert plans(1) != plans(2)


def test_every_habit_is_lived() -> None:
    made = plans(3)
    habits = {plan.name.split("-")[0] for plan in made}
    assert habits == {"steady", "leaver", "by_run", "canceller", "dawdler", "poller", "twin"}
    assert {plan.owner for plan in made} == {"local", "owner_2"}
    assert {plan.identity for plan in made} == {"plain", "client_msg_id", "idempotency_key"}
    assert {plan.door for plan in made} == {"get", "post"}
    # Only a POST carries an Idempotency-Key, and nobody meets in another owner's conversation.
    assert all(plan.door == "post" for plan in made if plan.identity == "idempotency_key")
    assert all(plan.owner == "local" for plan in made if plan.conversation)


def test_twins_make_one_promise_and_others_their_own() -> None:
    made = [plan for plan in plans(4) if plan.identity == "idempotency_key"]
    twins = [plan for plan in made if plan.name.startswith("twin")]
    assert len(twins) > len({plan.token for plan in twins}) > 1
    for token in {plan.token for plan in twins}:
        assert len({plan.message for plan in twins if plan.token == token}) == 1


def test_what_the_model_says_is_known_beforehand() -> None:
    swarm = Swarm(World(ports=(1,), seed=5, words=(3, 9)))
    made = [plan for _ in range(50) for plan in swarm.next_plans()]
    assert {plan.message for plan in made} == set(swarm.said)
    for plan in made:
        words = len(swarm.said[plan.message].split(" "))
        assert words == 1200 if plan.cancel_after else 3 <= words <= 9
