"""Names find their model, and the default is the one that the architecture promises."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tests.backend.gateway.fakes import HangingProvider, ListingProvider, overloaded

from cartrita.domain.errors import NotFound, Unavailable, UpstreamError
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.routes import Deployment


def entry(
    provider: ListingProvider, origin: ProviderOrigin, default: str | None = None
) -> ProviderEntry:
    return ProviderEntry(provider=provider, origin=origin, default_model=default)


OFFLINE = entry(
    ListingProvider("offline", "assistant", "script"), ProviderOrigin.OFFLINE, "assistant"
)


def openai() -> ListingProvider:
    return ListingProvider("openai", "gpt-5.4", "gpt-5.4-mini", "text-embedding-3")


def make_catalog(*, default_model: str | None = None) -> Catalog:
    return Catalog(
        [
            OFFLINE,
            entry(ListingProvider("ollama", "nomic-embed", "llama3.1:8b"), ProviderOrigin.LOCAL),
            entry(openai(), ProviderOrigin.API_KEY, "gpt-5.4"),
            entry(
                ListingProvider("huggingface", "meta/llama", "gpt-5.4"),
                ProviderOrigin.API_KEY,
                "meta/llama",
            ),
        ],
        default_model=default_model,
        unconfigured={"anthropic": "anthropic is not configured; set ANTHROPIC_API_KEY."},
    )


async def resolved(catalog: Catalog, provider: str | None, model: str | None) -> str:
    return (await catalog.resolve(provider, model)).id


@pytest.mark.parametrize(
    ("provider", "model", "target"),
    [
        (None, "openai/gpt-5.4", "openai/gpt-5.4"),
        (None, "openai/never-heard-of", "openai/never-heard-of"),
        (None, "huggingface/openai/gpt-oss", "huggingface/openai/gpt-oss"),
        (None, "ollama/llama3.1:8b", "ollama/llama3.1:8b"),
        (None, "gpt-5.4", "openai/gpt-5.4"),
        (None, "meta/llama", "huggingface/meta/llama"),
        (None, "llama3.1:8b", "ollama/llama3.1:8b"),
        (None, "offline", "offline/assistant"),
        (None, "script", "offline/script"),
        ("openai", None, "openai/gpt-5.4"),
        ("openai", "", "openai/gpt-5.4"),
        ("openai", "gpt-4o", "openai/gpt-4o"),
        ("openai", "openai/gpt-4o", "openai/gpt-4o"),
        ("huggingface", "openai/gpt-oss", "huggingface/openai/gpt-oss"),
        ("ollama", None, "ollama/llama3.1:8b"),
        ("", "", "openai/gpt-5.4"),
        (None, None, "openai/gpt-5.4"),
    ],
)
async def test_names(provider: str | None, model: str | None, target: str) -> None:
    assert await resolved(make_catalog(), provider, model) == target


class TestTheDefault:
    async def test_an_explicit_setting_comes_first(self) -> None:
        assert await resolved(make_catalog(default_model="ollama/x"), None, None) == "ollama/x"
        assert (
            await resolved(make_catalog(default_model="offline"), None, None) == "offline/assistant"
        )

    async def test_then_who_was_chosen_who_has_a_key_who_is_here_and_offline(self) -> None:
        chosen = entry(ListingProvider("own", "a"), ProviderOrigin.SELECTED)
        key = entry(openai(), ProviderOrigin.API_KEY, "gpt-5.4")
        local = entry(ListingProvider("ollama", "b"), ProviderOrigin.LOCAL)
        entries = [OFFLINE, local, key, chosen]
        for expected in ("own/a", "openai/gpt-5.4", "ollama/b", "offline/assistant"):
            assert await resolved(Catalog(entries), None, None) == expected
            entries.pop()
            if len(entries) == 1:
                entries = [OFFLINE]

    async def test_of_equals_the_first_counts(self) -> None:
        keys = [entry(ListingProvider(name, "m"), ProviderOrigin.API_KEY) for name in ("b", "a")]
        assert await resolved(Catalog(keys), None, None) == "b/m"

    async def test_a_server_without_a_model_is_passed_over(self) -> None:
        empty = entry(ListingProvider("ollama"), ProviderOrigin.LOCAL)
        assert await resolved(Catalog([empty, OFFLINE]), None, None) == "offline/assistant"
        with pytest.raises(NotFound, match="ollama has no model"):
            await resolved(Catalog([empty, OFFLINE]), "ollama", None)
        with pytest.raises(NotFound, match="Configure one"):
            await resolved(Catalog([empty]), None, None)

    async def test_one_that_is_away_is_not_passed_over(self) -> None:
        away = entry(ListingProvider("own", error=overloaded()), ProviderOrigin.API_KEY)
        with pytest.raises(Unavailable, match="own does not tell"):
            await resolved(Catalog([away, OFFLINE]), None, None)


class TestUnknownNames:
    async def test_the_nearest_are_told(self) -> None:
        with pytest.raises(NotFound, match=r"no model gpt-5.5") as caught:
            await resolved(make_catalog(), None, "gpt-5.5")
        assert caught.value.code == "model_not_found"
        nearest = caught.value.details["nearest"]
        assert isinstance(nearest, list)
        assert "gpt-5.4" in nearest

    async def test_where_nothing_is_near_some_are_told(self) -> None:
        with pytest.raises(NotFound) as caught:
            await resolved(make_catalog(), None, "x" * 10_000)
        assert caught.value.details["nearest"]
        assert len(caught.value.message) < 500

    async def test_a_provider_that_is_not_there(self) -> None:
        with pytest.raises(NotFound, match=r"there are openai, huggingface, ollama, offline"):
            await resolved(make_catalog(), "mistral", "x")
        with pytest.raises(NotFound, match="set ANTHROPIC_API_KEY"):
            await resolved(make_catalog(), "anthropic", None)
        with pytest.raises(NotFound, match="set ANTHROPIC_API_KEY"):
            await resolved(make_catalog(), None, "anthropic/claude-opus-4-6")
        with pytest.raises(NotFound):
            make_catalog().provider("mistral")

    async def test_one_that_cannot_list_may_know_the_name(self) -> None:
        away = entry(ListingProvider("own", error=overloaded()), ProviderOrigin.API_KEY)
        assert await resolved(Catalog([OFFLINE, away]), None, "gpt-9") == "own/gpt-9"


class TestLists:
    async def test_all_together_and_without_those_that_fail(self) -> None:
        away = ListingProvider("own", error=overloaded())
        catalog = Catalog(
            [
                entry(away, ProviderOrigin.API_KEY),
                OFFLINE,
                entry(ListingProvider("a", "x"), ProviderOrigin.API_KEY),
            ]
        )
        assert [model.id for model in await catalog.models()] == [
            "a/x",
            "offline/assistant",
            "offline/script",
        ]
        assert catalog.providers == ("own", "a", "offline")

    async def test_they_are_kept_for_their_time(self) -> None:
        time = {"now": 0.0}
        good, bad = ListingProvider("a", "x"), ListingProvider("b", error=overloaded())
        catalog = Catalog(
            [entry(good, ProviderOrigin.API_KEY), entry(bad, ProviderOrigin.API_KEY)],
            cache_s=60,
            cache_failure_s=5,
            clock=lambda: time["now"],
        )
        for now, asked in ((0.0, (1, 1)), (5.0, (1, 1)), (6.0, (1, 2)), (61.0, (2, 3))):
            time["now"] = now
            await catalog.models()
            assert (good.asked, bad.asked) == asked

    async def test_those_who_come_together_ask_once(self) -> None:
        provider = ListingProvider("a", "x")
        catalog = Catalog([entry(provider, ProviderOrigin.API_KEY)])
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(catalog.models())
        assert provider.asked == 1


def test_a_deployment_has_an_id() -> None:
    assert Deployment("openai", "gpt-5.4").id == "openai/gpt-5.4"


async def test_bare_names_may_belong_to_a_provider_by_their_beginning() -> None:
    comet = ProviderEntry(
        provider=ListingProvider("comet", "claude-a"),
        origin=ProviderOrigin.SELECTED,
        model_prefixes=("claude-",),
    )
    catalog = Catalog([entry(ListingProvider("openai", "claude-b"), ProviderOrigin.API_KEY), comet])
    assert await catalog.resolve(None, "claude-unlisted") == Deployment("comet", "claude-unlisted")
    assert await catalog.resolve(None, "claude-b") == Deployment("openai", "claude-b")


async def test_a_models_own_name_may_begin_with_its_provider() -> None:
    oca = ProviderEntry(
        provider=ListingProvider("oca"),
        origin=ProviderOrigin.SELECTED,
        default_model="oca/gpt-4.1",
    )
    catalog = Catalog([oca])
    for provider, model in ((None, "oca/gpt-4.1"), ("oca", "oca/gpt-4.1"), (None, None)):
        assert await catalog.resolve(provider, model) == Deployment("oca", "oca/gpt-4.1")
    assert await catalog.resolve(None, "oca/other") == Deployment("oca", "other")


@asynccontextmanager
async def refreshing(*entries: ProviderEntry) -> AsyncGenerator[Catalog]:
    """A catalog of which one provider never lists its models."""
    catalog = Catalog(entries, first_wait_s=0.05)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(catalog.run())
        await asyncio.sleep(0)
        yield catalog
        task.cancel()


def hanging(name: str, default: str | None = None) -> ProviderEntry:
    provider = HangingProvider(name)
    provider.may.clear()
    return entry(provider, ProviderOrigin.API_KEY, default)


class TestAProviderThatNeverListsItsModels:
    async def test_one_before_it_that_lists_the_model_answers_at_once(self) -> None:
        good = entry(ListingProvider("good", "x"), ProviderOrigin.SELECTED)
        async with refreshing(hanging("silent"), good) as catalog:
            catalog._lists._first_wait_s = catalog._lists._patience = 3600
            assert await resolved(catalog, None, "x") == "good/x"

    async def test_one_after_it_that_lists_the_model_answers(self) -> None:
        good = entry(ListingProvider("good", "x"), ProviderOrigin.LOCAL)
        async with refreshing(hanging("silent"), good) as catalog:
            assert await resolved(catalog, None, "x") == "good/x"

    async def test_its_own_default_is_called(self) -> None:
        async with refreshing(hanging("silent", "x"), OFFLINE) as catalog:
            assert await resolved(catalog, None, "x") == "silent/x"

    async def test_an_unknown_name_tells_who_did_not_answer(self) -> None:
        async with refreshing(hanging("silent"), OFFLINE) as catalog:
            with pytest.raises(Unavailable, match="silent did not tell in time"):
                await catalog.resolve(None, "x")


@pytest.mark.parametrize(
    ("models", "error", "chosen"),
    [
        (("usual", "other"), None, "usual"),
        (("text-embed", "other"), None, "other"),
        (("text-embed",), None, "usual"),
        ((), None, "usual"),
        ((), overloaded(), "usual"),
    ],
)
async def test_a_default_that_another_model_may_replace(
    models: tuple[str, ...], error: UpstreamError | None, chosen: str
) -> None:
    lenient = ProviderEntry(
        provider=ListingProvider("hub", *models, error=error),
        origin=ProviderOrigin.API_KEY,
        default_model="usual",
        any_model=True,
    )
    catalog = Catalog([lenient])
    assert await resolved(catalog, "hub", None) == f"hub/{chosen}"
    assert await resolved(catalog, None, None) == f"hub/{chosen}"
    assert await resolved(catalog, "hub", "usual") == "hub/usual"
