"""Budgets hold for calls at once in several processes; every surface refuses in its own words."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.journeys.accounts import made, new_key, new_tenant, new_user
from tests.journeys.v1 import frames, post

CALLS, WORDS = 500, 100
INPUT, OUTPUT = Decimal("0.00001"), Decimal("0.0001")
"""US dollars for a token."""
PRICES = f"""
[[prices]]
provider = "openai"
model = "fake"
checked = 2026-11-28
source = "made up"
input = "{INPUT * 1_000_000}"
output = "{OUTPUT * 1_000_000}"
"""


@pytest.fixture(scope="module")
def settings(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Those of all servers here: their model has a price."""
    prices = tmp_path_factory.mktemp("prices") / "own.toml"
    prices.write_text(PRICES)
    return {
        "CARTRITA_LEDGER_PRICES": str(prices),
        "CARTRITA_LEDGER_FLUSH_INTERVAL_S": "0.1",
        "CARTRITA_BUDGETS_OUTPUT_TOKENS": "64",
        "CARTRITA_PROVIDER_LIMITS": "off",
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
    }


@pytest.fixture(scope="module")
def administered(provider: FakeProvider, settings: dict[str, str]) -> Iterator[Scenario]:
    """The server at which users and budgets are made."""
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


@pytest.fixture(scope="module")
def replica(
    administered: Scenario, provider: FakeProvider, settings: dict[str, str], users: dict[str, str]
) -> Iterator[Scenario]:
    """Another server on its database, of two workers, that was started after that."""
    assert users
    dsn = administered.server.dsn
    with Server(
        provider_url=provider.base_url, settings=settings, workers=2, database_url=dsn
    ) as server:
        yield Scenario(server, provider)


async def spender(scenario: Scenario, **budgets: Any) -> tuple[str, str]:
    """A new user with these budgets, and what its key authorises with."""
    user = await new_user(scenario, await new_tenant(scenario))
    key = await new_key(scenario, user)
    await made(scenario, "PUT", f"/api/admin/users/{user}/budgets", budgets)
    return user, f"Bearer {key['key']}"


@pytest.fixture(scope="module")
async def users(administered: Scenario) -> dict[str, str]:
    """What the keys of users authorise with, by the budgets that they have."""
    _, dollar = await spender(administered, day={"money": "1.00"})
    _, little = await spender(administered, month={"tokens": 20})
    _, some = await spender(administered, day={"tokens": 2000})
    _, same = await spender(administered, day={"tokens": 2000})
    return {"dollar": dollar, "little": little, "some": some, "same": same}


def asked(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "openai/fake", "messages": [{"role": "user", "content": text}], **fields}


async def budgets_of(scenario: Scenario, authorization: str) -> list[dict[str, Any]]:
    report = await made(scenario, "GET", "/api/usage", X_API_Key="", Authorization=authorization)
    return report["budgets"]


async def test_calls_at_once_do_not_pass_a_budget_and_use_nearly_all_of_it(
    replica: Scenario, users: dict[str, str]
) -> None:
    text = f"Spend. {directive(Script(words=WORDS))}"
    body = asked(text, max_tokens=WORDS)

    async def ask() -> tuple[int, dict[str, str], bytes] | None:
        """An answer; none from a server that is busy, so that it is asked again."""
        answer = await post(replica, "/v1/chat/completions", body, Authorization=users["dollar"])
        return None if answer[0] == 503 else answer

    answers = await asyncio.gather(*(eventually(ask) for _ in range(CALLS)))
    refused = [headers for status, headers, _ in answers if status == 429]
    usages = [json.loads(told)["usage"] for status, _, told in answers if status == 200]
    assert len(refused) + len(usages) == CALLS
    assert all(int(headers["retry-after"]) > 0 for headers in refused)
    assert {headers["x-should-retry"] for headers in refused} == {"false"}
    cost = sum(
        usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT for usage in usages
    )
    assert Decimal("0.9") <= cost <= 1

    async def settled() -> dict[str, Any] | None:
        [budget] = await budgets_of(replica, users["dollar"])
        assert Decimal(budget["used"]) <= 1
        return budget if Decimal(budget["used"]) == cost else None

    budget = await eventually(settled)
    assert Decimal(budget["overrun"]) == 0
    assert (budget["subject"], budget["period"], budget["unit"]) == ("user", "day", "money")


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/v1/chat/completions", asked("Hi"), 429, ("type", "insufficient_quota")),
        (
            "/v1/responses",
            {"model": "openai/fake", "input": "Hi", "store": False},
            429,
            ("code", "insufficient_quota"),
        ),
        (
            "/v1/embeddings",
            {"model": "openai/fake", "input": "Hi " * 40},
            429,
            ("code", "insufficient_quota"),
        ),
        ("/v1/messages", asked("Hi", max_tokens=50), 402, ("type", "billing_error")),
        (
            "/api/chat",
            {"message": "Hi", "provider": "openai", "model": "fake"},
            402,
            ("", "budget_exhausted"),
        ),
    ],
)
async def test_each_surface_refuses_in_its_own_words(
    replica: Scenario,
    users: dict[str, str],
    path: str,
    body: dict[str, Any],
    status: int,
    told: tuple[str, str],
) -> None:
    answered, headers, octets = await post(replica, path, body, Authorization=users["little"])
    document = json.loads(octets)
    assert (answered, headers["x-should-retry"]) == (status, "false"), document
    assert int(headers["retry-after"]) > 0
    field, word = told
    assert (document["error"][field] if field else document["code"]) == word
    assert "20 tokens a month" in octets.decode()


async def test_an_answer_that_outruns_its_budget_is_ended_and_kept(
    replica: Scenario, users: dict[str, str]
) -> None:
    text = f"Go on. {directive(Script(words=3000))}"
    body = {"message": text, "provider": "openai", "model": "fake"}
    status, _, streamed = await post(replica, "/api/chat/stream", body, Authorization=users["some"])
    assert status == 200
    *events, last = [data for _, data in frames(streamed)]
    assert (last["event"], last["data"]["code"]) == ("error", "budget_exhausted"), last
    assert last["data"]["recoverable"]
    seen = "".join(event["data"]["content"] for event in events if event["event"] == "token")
    assert len(seen) > 600
    [kept] = await replica.fetch(
        "SELECT status FROM runs WHERE error_code = 'budget_exhausted' AND status <> 'failed'"
    )
    assert kept["status"] == "interrupted"

    async def settled() -> bool:
        [budget] = await budgets_of(replica, users["some"])
        return 300 < Decimal(budget["used"]) <= 2000

    assert await eventually(settled)


async def test_a_relayed_stream_that_outruns_its_budget_ends_with_an_error(
    replica: Scenario, users: dict[str, str]
) -> None:
    body = asked(f"Go on. {directive(Script(words=3000))}", stream=True)
    status, _, streamed = await post(
        replica, "/v1/chat/completions", body, Authorization=users["same"]
    )
    assert status == 200
    told = [data for _, data in frames(streamed)]
    assert told[-1]["error"]["code"] == "insufficient_quota"
    assert len(told) > 1
