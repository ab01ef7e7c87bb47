"""What calls cost and who made them, from a real server: streamed or not, cached, left, failed."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.faults import HangBeforeHeaders, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.journeys.accounts import made, new_key, new_user
from tests.journeys.v1 import begin, post

TENANT, UNLUCKY = "acme", "unlucky"
ROUTES = """
[routes.safe]
deployments = ["openai/fake", "anthropic/fake"]
"""
DEAR = {"input": "1000", "output": "1000"}
RATES = {"input": "10", "cache_read": "1", "cache_write": "12", "output": "100"}
OF_TENANT = {"input": "20", "output": "200"}


def price(provider: str, rates: dict[str, str], tenant: str = "") -> str:
    whose = f'tenant = "{tenant}"\n' if tenant else ""
    told = "".join(f'{name} = "{rate}"\n' for name, rate in rates.items())
    head = f'[[prices]]\nprovider = "{provider}"\nmodel = "fake"\n{whose}'
    return f'{head}checked = 2026-11-30\nsource = "made up"\n{told}\n'


@pytest.fixture(scope="module")
def priced(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """A server on which the fake models have a price, and a tenant has one of its own."""
    own = tmp_path_factory.mktemp("prices") / "own.toml"
    own.write_text(
        price("openai", RATES)
        + price("anthropic", RATES)
        + price("openai", OF_TENANT, TENANT)
        + price("openai", DEAR, UNLUCKY)
    )
    settings = {
        "CARTRITA_LEDGER_PRICES": str(own),
        "CARTRITA_LEDGER_FLUSH_INTERVAL_S": "0.1",
        "CARTRITA_PROVIDER_LIMITS": "off",
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
    }
    (own.parent / "cartrita.toml").write_text(ROUTES)
    settings["CARTRITA_CONFIG"] = str(own.with_name("cartrita.toml"))
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


@pytest.fixture
async def caller(priced: Scenario) -> tuple[str, str]:
    """A new user, and what its key authorises with: the ledger has nothing of it."""
    user = await new_user(priced, "local")
    key = await new_key(priced, user)
    return user, f"Bearer {key['key']}"


def words(**script: Any) -> str:
    return f"needle-{uuid4().hex} {directive(Script(text='It is hot.', **script))}"


def chat(model: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


def response(model: str, text: str, **fields: Any) -> dict[str, Any]:
    fields.pop("max_tokens", None)
    return {"model": model, "input": text, "store": False, **fields}


async def rows(priced: Scenario, owner: str, number: int) -> list[Any]:
    """So many calls of an owner, the first one first."""

    async def found() -> list[Any] | None:
        rows = await priced.fetch(
            "SELECT * FROM usage_ledger WHERE owner_id = $1 ORDER BY id", owner
        )
        return rows if len(rows) >= number else None

    stored = await eventually(found)
    assert len(stored) == number
    return stored


def reckoned(row: Any) -> Decimal:
    """The price of a row by its tokens, by hand."""
    read, written = row["cache_read_tokens"], row["cache_write_tokens"]
    plain = row["input_tokens"] - read - written
    return Decimal(plain * 10 + read + written * 12 + row["output_tokens"] * 100) / 1_000_000


@pytest.mark.parametrize(
    ("path", "model", "body"),
    [
        ("/v1/chat/completions", "openai/fake", chat),
        ("/v1/chat/completions", "anthropic/fake", chat),
        ("/v1/responses", "openai/fake", response),
        ("/v1/responses", "anthropic/fake", response),
        ("/v1/messages", "anthropic/fake", chat),
        ("/v1/messages", "openai/fake", chat),
    ],
)
async def test_a_stream_costs_what_the_whole_answer_does(
    priced: Scenario, caller: tuple[str, str], path: str, model: str, body: Any
) -> None:
    text = words(cache_read_tokens=700, cache_write_tokens=90, reasoning="Steam rises.")
    for stream in (False, True):
        asked = body(model, text, stream=stream, max_tokens=200)
        status, _, told = await post(priced, path, asked, Authorization=caller[1])
        assert status == 200, told
    whole, streamed = await rows(priced, caller[0], 2)
    assert whole["cost"] == streamed["cost"] == reckoned(whole)
    assert not whole["estimated"]
    assert (whole["cache_read_tokens"], whole["cost"] > 0) == (700, True)


@pytest.mark.parametrize(
    ("path", "piece"),
    [("/v1/messages", b"event: content_block_delta"), ("/v1/chat/completions", b"data: ")],
)
async def test_what_nobody_stayed_for_costs_what_had_come(
    priced: Scenario, caller: tuple[str, str], path: str, piece: bytes
) -> None:
    """The Anthropic-like one says at once what it read, and that it wrote a token: it wrote more.

    Relayed, and translated.
    """
    script = Script(words=400, between_tokens_s=0.02, cache_read_tokens=700)
    text = f"needle-{uuid4().hex} {directive(script)}"
    asked = chat("anthropic/fake", text, stream=True, max_tokens=900)
    async with await begin(priced, path, asked, Authorization=caller[1]) as answer:
        seen = 0
        async for came in answer.chunks():
            seen += came.count(piece)
            if seen >= 60:
                break
    [row] = await rows(priced, caller[0], 1)
    assert (row["outcome"], row["estimated"]) == ("cancelled", True)
    assert row["cache_read_tokens"] == 700
    assert row["output_tokens"] >= 20
    assert row["cost"] == reckoned(row)


async def test_a_whole_answer_that_nobody_waits_for_costs_its_question(
    priced: Scenario, caller: tuple[str, str]
) -> None:
    """Its provider writes on, and has said nothing of it yet."""
    text = f"needle-{uuid4().hex} {directive(Script(faults=(HangBeforeHeaders(),)))}"
    asked = chat("openai/fake", text)
    caller_of_it = asyncio.create_task(
        post(priced, "/v1/chat/completions", asked, Authorization=caller[1])
    )
    await eventually(lambda: priced.calls_for(text))
    caller_of_it.cancel()
    [row] = await rows(priced, caller[0], 1)
    assert (row["outcome"], row["estimated"]) == ("cancelled", True)
    assert row["input_tokens"] > 20
    assert row["cost"] == reckoned(row) > 0


async def test_an_answer_from_the_cache_costs_nothing(
    priced: Scenario, caller: tuple[str, str]
) -> None:
    asked = chat("openai/fake", words())
    for kept in ("miss", "hit"):
        _, headers, _ = await post(
            priced, "/v1/chat/completions", asked, Authorization=caller[1], X_Cartrita_Cache="60"
        )
        assert headers["x-cartrita-cache"] == kept
    await post(
        priced, "/v1/chat/completions", chat("openai/fake", words()), Authorization=caller[1]
    )
    assert len(await rows(priced, caller[0], 2)) == 2


async def test_an_attempt_that_was_refused_costs_nothing(
    priced: Scenario, caller: tuple[str, str]
) -> None:
    """The first attempt is refused before anything is read, and made again."""
    scripts = Script(faults=(ReplacedResponse(status=503),)), Script(text="It is hot.")
    asked = chat("openai/fake", f"needle-{uuid4().hex} {directive(*scripts)}")
    status, _, told = await post(priced, "/v1/chat/completions", asked, Authorization=caller[1])
    assert status == 200, told
    refused, answered = await rows(priced, caller[0], 2)
    assert (refused["outcome"], refused["cost"], refused["input_tokens"]) == ("failed", 0, 0)
    assert answered["cost"] == reckoned(answered) > 0


async def test_a_run_that_failed_over_costs_what_the_model_does_that_answered(
    priced: Scenario,
) -> None:
    """The one that fails has another price for this tenant."""
    await made(priced, "POST", "/api/admin/tenants", {"id": UNLUCKY})
    user = await new_user(priced, UNLUCKY)
    key = await new_key(priced, user)
    refused = Script(faults=(ReplacedResponse(status=401),))
    text = f"needle-{uuid4().hex} {directive(refused, Script(text='It is hot.'))}"
    run = {"message": text, "model": "safe"}
    answer = await made(priced, "POST", "/api/chat", run, X_API_Key=key["key"])
    failed, answered = await rows(priced, user, 2)
    assert (failed["provider"], answered["provider"]) == ("openai", "anthropic")
    assert (failed["cost"], answered["cost"]) == (0, reckoned(answered))
    [agent] = answer["metadata"]["agents"]
    assert agent["cost"] == float(answered["cost"])


async def test_a_tenant_pays_its_own_price(priced: Scenario) -> None:
    await made(priced, "POST", "/api/admin/tenants", {"id": TENANT})
    user = await new_user(priced, TENANT)
    key = await new_key(priced, user)
    bearer = f"Bearer {key['key']}"
    await post(priced, "/v1/chat/completions", chat("openai/fake", words()), Authorization=bearer)
    run = {"message": words(), "provider": "openai", "model": "fake"}
    await made(priced, "POST", "/api/chat", run, X_API_Key=key["key"])
    for row in await rows(priced, user, 2):
        assert row["cost"] == Decimal(row["input_tokens"] * 20 + row["output_tokens"] * 200) / 10**6


async def test_usage_is_told_by_agent_key_and_conversation(
    priced: Scenario, caller: tuple[str, str]
) -> None:
    user, _ = caller
    key = await new_key(priced, user, name="laptop")
    mine = {"X_API_Key": key["key"]}
    run = {"message": words(), "provider": "openai", "model": "fake"}
    answer = await made(priced, "POST", "/api/chat", run, **mine)
    await post(
        priced,
        "/v1/chat/completions",
        chat("openai/fake", words()),
        Authorization=f"Bearer {key['key']}",
    )
    await rows(priced, user, 2)

    async def told(query: str) -> dict[str, Any]:
        return await made(priced, "GET", f"/api/usage?{query}", **mine)

    async def groups(by: str) -> dict[str | None, str]:
        return {one["id"]: one["name"] for one in (await told(f"group_by={by}"))["items"]}

    assert await groups("key") == {key["id"]: "laptop"}
    assert await groups("agent") == {"supervisor": "supervisor", None: "none"}
    conversation = answer["conversation_id"]
    assert set(await groups("conversation")) == {conversation, None}
    for query in (f"conversation_id={conversation}", "agent=supervisor", "surface=native"):
        report = await told(query)
        assert (report["total_calls"], report["groups"]) == (1, 1)
    report = await told("limit=1&group_by=agent")
    assert (len(report["items"]), report["groups"], report["total_calls"]) == (1, 2, 2)
    timeline = await made(priced, "GET", "/api/usage/timeline?group_by=key", **mine)
    [day] = timeline["items"]
    assert (day["id"], day["name"], day["calls"], day["provider"]) == (key["id"], "laptop", 2, "")
    assert key["key"] not in str(await told("group_by=key"))


async def test_analytics_are_for_who_administers(priced: Scenario) -> None:
    tenant = f"tenant-{uuid4().hex[:8]}"
    await made(priced, "POST", "/api/admin/tenants", {"id": tenant})
    keys = {
        role: await new_key(priced, await new_user(priced, tenant, role))
        for role in ("admin", "member")
    }
    run = {"message": words(), "provider": "openai", "model": "fake"}
    answer = await made(priced, "POST", "/api/chat", run, X_API_Key=keys["member"]["key"])
    assert answer["conversation_id"]

    async def seen() -> dict[str, Any] | None:
        own = await made(
            priced, "GET", "/api/admin/analytics?step=week", X_API_Key=keys["admin"]["key"]
        )
        return own if own["spenders"] else None

    own = await eventually(seen)
    assert (own["active_users"], own["active_conversations"]) == (1, 1)
    assert own["runs"] == [{"status": "completed", "runs": 1}]
    [surface], [model], [spender] = own["surfaces"], own["providers"], own["spenders"]
    assert (surface["surface"], surface["error_rate"]) == ("native", 0)
    assert (model["provider"], model["calls"]) == ("openai", 1)
    assert Decimal(spender["cost"]) > 0
    status, refused = await priced.call(
        "GET", "/api/admin/analytics", X_API_Key=keys["member"]["key"]
    )
    assert (status, refused["code"]) == (403, "admin_required")
    everybody = await made(priced, "GET", "/api/admin/analytics")
    assert spender["owner_id"] in {one["owner_id"] for one in everybody["spenders"]}
    one = await made(priced, "GET", f"/api/admin/analytics?tenant_id={tenant}")
    assert one["spenders"] == own["spenders"]
