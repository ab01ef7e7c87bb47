"""Providers' keys are tried at the provider, at which a good one is told from a wrong one."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.backend.gateway.fakes import ListingProvider
from tests.harness.fake_provider.faults import Fault, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.factory import ProviderOptions, create_provider
from cartrita.adapters.providers.registry import provider_spec
from cartrita.application.credentials import validation
from cartrita.application.credentials.provider_checks import CheckedProvider
from cartrita.application.credentials.validation import ProviderKeyValidator
from cartrita.domain.errors import NotFound, UpstreamError, UpstreamOverloaded, UpstreamUnreachable
from cartrita.domain.provider_checks import ProviderSummary
from cartrita.kit.secret import Secret

GOOD, WRONG, OPERATORS = "sk-good-key", "sk-wrong-key", "sk-of-the-operator"
CHAT, MODELS = "/v1/chat/completions", "/v1/models"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(key=OPERATORS, more_keys=[GOOD], models=["fake-small"]) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


class Trial:
    """Tries keys at the fake provider, as one of these names."""

    def __init__(self, fake: FakeProvider, http: HttpClient) -> None:
        self.fake = fake
        self.http = http

    async def accepts(
        self,
        key: str = GOOD,
        *,
        name: str = "openai",
        private: bool = False,
        default: str | None = "fake-small",
    ) -> bool:
        spec = provider_spec(name)
        chat = spec.dialect == "openai_chat"
        url = self.fake.base_url if chat else self.fake.root_url
        options = ProviderOptions(base_url=url, key=Secret(OPERATORS))
        checked = CheckedProvider(
            ProviderSummary(name=name, default_model=default),
            create_provider(spec, self.http, options),
            private_list=private,
        )
        return await ProviderKeyValidator([checked]).accepts(name, Secret(key))

    def fail(self, fault: Fault, path: str) -> None:
        self.fake.script(Script(faults=(fault,)), path=path)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The path of each request, and the key that it was sent with."""
        return [
            (each.path, (each.header("authorization") or "").removeprefix("Bearer "))
            for each in self.fake.requests()
        ]


@pytest.fixture
def trial(fake: FakeProvider, http: HttpClient) -> Trial:
    return Trial(fake, http)


@pytest.mark.parametrize("name", ["openai", "anthropic", "comet", "huggingface"])
async def test_a_good_key_is_told_from_a_wrong_one(trial: Trial, name: str) -> None:
    for private in (True, False):
        assert await trial.accepts(GOOD, name=name, private=private)
        assert not await trial.accepts(WRONG, name=name, private=private)
    told = {value for each in trial.fake.requests() for _, value in each.headers}
    assert not any(OPERATORS in value for value in told)


async def test_a_private_list_is_enough(trial: Trial) -> None:
    assert await trial.accepts(private=True)
    assert trial.sent == [(MODELS, GOOD)]
    assert await trial.accepts()
    assert trial.sent[1:] == [(MODELS, GOOD), (CHAT, GOOD)]


async def test_a_key_that_no_header_can_carry_is_wrong(trial: Trial) -> None:
    assert not await trial.accepts("sk-é-or-not")
    assert trial.sent == []


@pytest.mark.parametrize("status", [403, 404])
async def test_a_list_that_a_key_may_not_read_does_not_decide(trial: Trial, status: int) -> None:
    trial.fail(ReplacedResponse(status=status), MODELS)
    assert await trial.accepts(private=True)
    assert trial.sent == [(MODELS, GOOD), (CHAT, GOOD)]


async def test_a_key_without_credit_is_a_good_one(trial: Trial) -> None:
    trial.fail(ReplacedResponse(status=402), CHAT)
    assert await trial.accepts()


async def test_a_provider_that_fails_does_not_say(trial: Trial) -> None:
    trial.fail(ReplacedResponse(status=500), MODELS)
    with pytest.raises(UpstreamOverloaded):
        await trial.accepts()
    trial.fail(ReplacedResponse(status=400), CHAT)
    with pytest.raises(UpstreamError):
        await trial.accepts()


async def test_a_provider_without_models_cannot_be_asked(trial: Trial) -> None:
    trial.fail(ReplacedResponse(status=404), MODELS)
    with pytest.raises(NotFound, match="lists no model"):
        await trial.accepts(default=None)


async def test_it_is_waited_for_a_while(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_SECONDS", 0.05)
    trial.fake.script(Script(before_headers_s=3600), path=CHAT)
    with pytest.raises(UpstreamUnreachable, match="in time"):
        await trial.accepts()


async def test_a_provider_that_takes_no_keys_is_not_there() -> None:
    summary = ProviderSummary(name="offline")
    validator = ProviderKeyValidator(
        [CheckedProvider(summary, ListingProvider("offline"))], unconfigured={"ollama": "None."}
    )
    for name, sentence in (("offline", "takes a key"), ("ollama", r"None\."), ("?", "takes a key")):
        with pytest.raises(NotFound, match=sentence):
            await validator.accepts(name, Secret(GOOD))
