"""The models, speech, and what searches and reads the web: all that is called outside."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.metrics.metrics import Metrics
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.adapters.tokens.counter import TokenizerCounter
from cartrita.application.credentials.paying_credentials import PayingCredentials
from cartrita.application.credentials.provider_checks import ProviderChecks
from cartrita.application.keys.brought_keys import BroughtKeys
from cartrita.application.search.own_passages import OwnPassages
from cartrita.assembly.answer_cache import open_answer_cache
from cartrita.assembly.brought_keys import create_brought_keys
from cartrita.assembly.budgets import open_budgeting
from cartrita.assembly.credentials import CredentialParts
from cartrita.assembly.gateway import create_gateway, create_offline
from cartrita.assembly.limits import open_limiting
from cartrita.assembly.metrics import counted_cache, counted_ledger, counts_of, tell_models
from cartrita.assembly.prices import create_prices
from cartrita.assembly.providers import (
    create_all_keys_validator,
    create_provider_checks,
    create_unpaid,
    open_providers,
)
from cartrita.assembly.search import (
    Searches,
    create_search_services,
    create_searches,
)
from cartrita.assembly.speech import create_speech_services
from cartrita.assembly.speech_engines import SpeechEngines, create_speech_engines
from cartrita.assembly.storage import Storage
from cartrita.assembly.web import open_web_pages
from cartrita.domain.ports.credentials import KeyValidator
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.ports.web import WebPages
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.metering import CostsOf, Meter
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import ServiceMeter
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.secret import Secret
from cartrita.settings import Settings


class Models(NamedTuple):
    """Access to all models, to what searches and speaks, under their limits too, and to pages."""

    gateway: Gateway
    checks: ProviderChecks
    searches: Searches
    speech: SpeechEngines
    pages: WebPages
    key_validator: KeyValidator
    brought_keys: BroughtKeys
    counter: TokenizerCounter
    costs: CostsOf
    limiter: Limiter
    limit_tasks: OwnedTasks
    budgets: Budgeting


@asynccontextmanager
async def open_models(
    settings: Settings,
    storage: Storage,
    secret: Secret,
    credentials: CredentialParts,
    metrics: Metrics | None,
    tracer: Tracer | None,
) -> AsyncGenerator[Models]:
    """Look for the providers, and connect to the cache of answers. Raises OperatorError."""
    counts = counts_of(metrics)
    async with (
        HttpClient() as http,
        open_web_pages(settings) as pages,
        open_answer_cache(settings, storage.database, secret) as cache,
        open_limiting(settings, storage.database, secret, counts) as limiting,
    ):
        counter = TokenizerCounter(settings.openai_compat.counting_model)
        prices = create_prices(settings)
        pricing = prices.models
        budgets = await open_budgeting(settings, storage.database, pricing)
        ledger = counted_ledger(metrics, storage.ledger)
        meter = Meter(
            ledger,
            pricing.costs,
            counter=counter,
            budgets=budgets,
            tracer=tracer,
        )
        providers = [
            *await open_providers(settings, http),
            create_offline(settings, _own_passages(storage)),
        ]
        unpaid = create_unpaid(settings, http, {one.summary.name for one in providers})
        services = create_search_services(settings, http)
        speech = create_speech_services(settings, http, [*providers, *unpaid])
        validator = create_all_keys_validator(
            settings, [*providers, *unpaid], [*services.keyed, *speech.keyed]
        )
        brought = create_brought_keys(settings, [*providers, *unpaid], validator, secret)
        paying = PayingCredentials(brought, credentials.known)
        calls = ServiceCalls(
            limiting.limiter,
            paying,
            credentials.uses,
            meter=ServiceMeter(ledger, prices.requests.price, budgets, tracer=tracer),
        )
        gateway = create_gateway(
            settings,
            providers,
            unpaid,
            meter,
            counted_cache(metrics, cache),
            paying,
            credentials.uses,
            limiting.limiter,
            counts,
        )
        tell_models(metrics, settings, gateway, pricing)
        yield Models(
            gateway=gateway,
            checks=create_provider_checks(settings, providers),
            searches=create_searches(settings, services, calls),
            speech=create_speech_engines(settings, speech, calls),
            pages=pages,
            key_validator=validator,
            brought_keys=brought,
            counter=counter,
            costs=pricing.costs,
            limiter=limiting.limiter,
            limit_tasks=limiting.tasks,
            budgets=budgets,
        )


def _own_passages(storage: Storage) -> OwnPassages:
    database = storage.database
    return OwnPassages(storage.search, PassageTable(database), FileTable(database))
