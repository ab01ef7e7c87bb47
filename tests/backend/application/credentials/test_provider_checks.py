"""Connection tests of real adapters against the fake provider, in each dialect."""

import json
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from tests.backend.gateway.fakes import ListingProvider
from tests.harness.fake_provider.faults import CutOff, Fault, Html, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.factory import ProviderOptions, create_provider
from cartrita.adapters.providers.registry import provider_spec
from cartrita.application.credentials import provider_checks
from cartrita.application.credentials.provider_checks import CheckedProvider, ProviderChecks
from cartrita.domain.errors import NotFound, UpstreamAuth
from cartrita.domain.provider_checks import CheckReport, ProviderSummary
from cartrita.kit.secret import Secret

Make = Callable[..., ProviderChecks]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(models=["fake-small"]) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


@pytest.fixture
def make(fake: FakeProvider, http: HttpClient) -> Make:
    def made(
        name: str, url: str = fake.base_url, key: str = fake.key, configured: tuple[str, ...] = ()
    ) -> ProviderChecks:
        options = ProviderOptions(base_url=url, key=Secret(key))
        provider = create_provider(provider_spec(name), http, options)
        summary = ProviderSummary(name=name, default_model="fake-small")
        return ProviderChecks([CheckedProvider(summary, provider, configured)])

    return made


def steps(report: CheckReport) -> list[tuple[str, bool]]:
    return [(step.name, step.ok) for step in report.steps]


async def test_a_quick_test_lists_models(make: Make, fake: FakeProvider) -> None:
    report = await make("openai").check("openai")
    assert report.ok
    assert steps(report) == [("models", True)]
    assert report.steps[0].advice is None
    assert [exchange.path for exchange in fake.requests()] == ["/v1/models"]


@pytest.mark.parametrize(
    ("name", "endpoints"),
    [
        ("huggingface", ["chat_completions"]),
        ("openai", ["chat_completions", "responses"]),
        ("anthropic", ["messages"]),
        ("comet", ["chat_completions", "messages"]),
    ],
)
async def test_a_full_test_calls_every_endpoint_whole_and_streamed(
    make: Make, name: str, endpoints: list[str]
) -> None:
    report = await make(name).check(name, full=True)
    calls = [(f"{one} {how}", True) for one in endpoints for how in ("whole", "stream")]
    assert steps(report) == [("models", True), *calls], report


@pytest.mark.parametrize(
    ("fault", "code", "advice"),
    [
        (ReplacedResponse(status=401), "upstream_auth", "Check the key"),
        (ReplacedResponse(status=402), "upstream_quota", "Add credit"),
        (ReplacedResponse(status=404, body="{}"), "upstream_rejected", "Check the base URL"),
        (ReplacedResponse(status=405), "upstream_rejected", "Check the base URL"),
        (Html(), "upstream_wrong_address", "Check the base URL"),
        (ReplacedResponse(status=400), "upstream_rejected", "Check the model's name"),
        (ReplacedResponse(status=429), "upstream_rate_limited", "Slow down"),
        (ReplacedResponse(status=503), "upstream_overloaded", "Try again later"),
        (ReplacedResponse(body="[]"), "upstream_malformed", "Check the base URL and the dialect"),
        (CutOff(how="fin", after_bytes=10), "upstream_cut", "Try again"),
    ],
    ids=str,
)
async def test_a_failed_step_says_what_to_do(
    make: Make, fake: FakeProvider, fault: Fault, code: str, advice: str
) -> None:
    fake.script(Script(faults=(fault,)), path="/v1/chat/completions")
    report = await make("huggingface").check("huggingface", full=True)
    assert not report.ok
    failed = report.steps[1]
    assert (failed.ok, failed.code) == (False, code)
    assert (failed.advice or "").startswith(advice)
    assert steps(report)[2] == ("chat_completions stream", True)


async def test_a_model_that_does_not_exist_is_no_wrong_address(
    make: Make, fake: FakeProvider
) -> None:
    body = json.dumps({"error": {"message": "The model `fake-small` does not exist"}})
    fault = ReplacedResponse(status=404, body=body)
    fake.script(Script(faults=(fault,)), path="/v1/chat/completions")
    report = await make("huggingface").check("huggingface", full=True)
    assert (report.steps[1].advice or "").startswith("Check the model's name")


async def test_configured_models_do_not_answer_for_the_server(make: Make) -> None:
    report = await make("openai", configured=("one", "two")).check("openai")
    assert steps(report) == [("models", True)]
    assert report.steps[0].detail == "It lists 7 models; 2 are configured."
    wrong = await make("openai", key="sk-wrong", configured=("one",)).check("openai")
    assert (wrong.ok, wrong.steps[0].code) == (False, "upstream_auth")
    away = await make("openai", url="http://127.0.0.1:1/v1", configured=("one",)).check("openai")
    assert (away.ok, away.steps[0].code) == (False, "upstream_unreachable")


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_a_server_without_a_list_is_called(
    make: Make, fake: FakeProvider, name: str, status: int
) -> None:
    fault = ReplacedResponse(status=status, body="{}")
    fake.script(Script(faults=(fault,)), path="/v1/models")
    report = await make(name, configured=("fake-small",)).check(name)
    call = "messages whole" if name == "anthropic" else "chat_completions whole"
    assert steps(report) == [("models", True), (call, True)], report
    assert report.steps[0].detail == "It has no list of models; 1 are configured."
    assert len(fake.requests()) == 2
    fake.script(Script(faults=(fault,)), path="/v1/models")
    assert not (await make(name).check(name)).ok


async def test_a_server_without_a_list_at_the_wrong_address(make: Make, fake: FakeProvider) -> None:
    configured = ("fake-small",)
    url = fake.base_url.replace("/v1", "/nowhere/v1")
    report = await make("openai", url=url, configured=configured).check("openai")
    assert steps(report) == [("models", True), ("chat_completions whole", False)]
    assert (report.steps[1].advice or "").startswith("Check the base URL")


async def test_no_step_repeats_a_key(make: Make) -> None:
    report = await make("openai", key="sk-wrong-0123456789").check("openai", full=True)
    assert {step.code for step in report.steps} == {"upstream_auth"}
    assert "0123456789" not in repr(report)


async def test_a_server_that_is_not_there(make: Make) -> None:
    (step,) = (await make("openai", url="http://127.0.0.1:1/v1").check("openai")).steps
    assert (step.code, step.status) == ("upstream_unreachable", None)
    assert step.advice == "Check that the server runs, and that the base URL names it."


async def test_a_provider_without_a_wire_is_only_streamed() -> None:
    own = CheckedProvider(ProviderSummary(name="own"), ListingProvider("own", "m"))
    assert steps(await ProviderChecks([own]).check("own", full=True)) == [
        ("models", True),
        ("stream", True),
    ]


async def test_a_provider_without_a_model() -> None:
    own = CheckedProvider(ProviderSummary(name="own"), ListingProvider("own"))
    report = await ProviderChecks([own]).check("own", full=True)
    assert steps(report) == [("models", True), ("completion", False)]
    refusing = ListingProvider("own", error=UpstreamAuth("own refused.", provider="own"))
    report = await ProviderChecks([CheckedProvider(ProviderSummary(name="own"), refusing)]).check(
        "own", full=True
    )
    assert steps(report) == [("models", False), ("completion", False)]


async def test_a_step_has_a_deadline(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_checks, "STEP_SECONDS", 0.0)
    (step,) = (await make("openai").check("openai")).steps
    assert (step.ok, step.detail) == (False, "It took more than 0 s.")


async def test_a_provider_that_is_not_configured() -> None:
    own = CheckedProvider(ProviderSummary(name="own"), ListingProvider("own"))
    checks = ProviderChecks([own], unconfigured={"openai": "openai has no key here."})
    assert [one.name for one in checks.summaries()] == ["own"]
    for name, sentence in (("openai", "openai has no key here."), ("x", "no provider x")):
        with pytest.raises(NotFound, match=sentence) as refused:
            await checks.check(name)
        assert refused.value.code == "provider_not_configured"


async def test_a_default_that_the_provider_does_not_list_is_not_called() -> None:
    for default, called in (("b", "b"), ("c", "a"), (None, "a")):
        summary = ProviderSummary(name="own", default_model=default)
        checks = ProviderChecks([CheckedProvider(summary, ListingProvider("own", "a", "b"))])
        report = await checks.check("own", full=True)
        assert report.steps[1].detail.startswith(f"{called} answered")
