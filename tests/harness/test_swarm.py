"""A swarm is seeded: the same seed makes the same plans, and every habit is lived."""

from itertools import chain

from tests.harness.records import Plan
from tests.harness.swarm import Owner, Swarm, SwarmConfig


def plans(seed: int, count: int = 300) -> list[Plan]:
    owners = (Owner(), Owner("owner_2", "ck_2"))
    swarm = Swarm(SwarmConfig(ports=(1,), seed=seed, owners=owners))
    swarm.conversations = {"local": ["conv_a", "conv_b"]}
    return list(chain.from_iterable(swarm.next_plans() for _ in range(count)))


def test_the_same_seed_makes_the_same_plans() -> None:
    assert plans(1) == plans(1)
    assert plans(1) != plans(2)


def test_every_habit_is_planned() -> None:
    made = plans(3)
    habits = {plan.name.split("-")[0] for plan in made}
    assert habits == {
        "steady",
        "leaver",
        "by_run",
        "canceller",
        "slow_reader",
        "poller",
        "duplicate",
        "tool_user",
    }
    assert {plan.owner for plan in made} == {"local", "owner_2"}
    assert {plan.identity for plan in made} == {"plain", "client_msg_id", "idempotency_key"}
    assert {plan.http_method for plan in made} == {"get", "post"}
    # Only a POST carries an Idempotency-Key, and nobody meets in another owner's conversation.
    assert all(plan.http_method == "post" for plan in made if plan.identity == "idempotency_key")
    assert all(plan.owner == "local" for plan in made if plan.conversation)


def test_duplicates_share_one_idempotency_key() -> None:
    made = [plan for plan in plans(4) if plan.identity == "idempotency_key"]
    duplicates = [plan for plan in made if plan.name.startswith("duplicate")]
    assert len(duplicates) > len({plan.token for plan in duplicates}) > 1
    for token in {plan.token for plan in duplicates}:
        assert len({plan.message for plan in duplicates if plan.token == token}) == 1


def test_what_the_model_says_is_known_beforehand() -> None:
    swarm = Swarm(SwarmConfig(ports=(1,), seed=5, words=(3, 9)))
    made = [plan for _ in range(50) for plan in swarm.next_plans()]
    by_models = [plan for plan in made if not plan.agent]
    assert {plan.message for plan in by_models} == set(swarm.answers)
    assert len(by_models) < len(made), "what agents say is not"
    for plan in by_models:
        words = len(swarm.answers[plan.message].split(" "))
        assert words == 1200 if plan.cancel_after else 3 <= words <= 9
