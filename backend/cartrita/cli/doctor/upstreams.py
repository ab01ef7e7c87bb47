"""Checks who is called: model providers, whose clocks are looked at too, and Langfuse."""

import asyncio
import re
from datetime import timedelta
from typing import Final, cast

from cartrita.adapters.http.client import HttpClient
from cartrita.application.credentials.provider_checks import advice_for
from cartrita.assembly.providers import OpenedProvider, open_providers
from cartrita.cli.doctor.clocks import clock_finding, parsed_date
from cartrita.cli.doctor.findings import Finding, in_time, ok, problem, warning
from cartrita.cli.doctor.requests import Answered, basic, get
from cartrita.domain.errors import UpstreamError
from cartrita.kit.at_once import all_of
from cartrita.settings import Settings
from cartrita.settings.tracing import Langfuse

_NO_LIST: Final = (404, 405)
_LEAST_LANGFUSE: Final = (4, 59)
_REFUSED: Final = (401, 403)
_ADVICE: Final = "Check its key and its base URL: `cartrita providers check` tells more."


async def examine_providers(settings: Settings, http: HttpClient, seconds: float) -> list[Finding]:
    """All of them side by side, and the clock of the first that tells the time."""
    opened = await open_providers(settings, http)
    if not opened:
        told = "None is configured: the offline model answers, which is no language model."
        return [warning("providers", told, "Set the key of one, such as OPENAI_API_KEY.")]
    found = await all_of(
        [
            in_time(_name(one), seconds, _examine_provider(one, _default(settings, one)))
            for one in opened
        ]
    )
    clock = await _clock(opened, http, seconds)
    return [*(finding for each in found for finding in each), *clock]


def _name(opened: OpenedProvider) -> str:
    return f"provider {opened.summary.name}"


def _default(settings: Settings, opened: OpenedProvider) -> str | None:
    """The model of a provider that is asked where nobody names one."""
    provider, _, model = (settings.providers.default_model or "").partition("/")
    return model if model and provider == opened.summary.name else opened.summary.default_model


async def _examine_provider(opened: OpenedProvider, default: str | None) -> list[Finding]:
    name, checked, summary = _name(opened), opened.checked, opened.summary
    try:
        models = {one.name for one in await checked.provider.models()}
    except UpstreamError as error:
        if checked.configured and error.status in _NO_LIST:
            told = f"It answers, and has no list of models; {len(checked.configured)} are named."
            return [ok(name, told)]
        return [problem(name, error.message, advice_for(error) or _ADVICE)]
    if default and default not in models | {*checked.configured}:
        told = f"It lists {len(models)} models, and its default model {default} is none of them."
        return [warning(name, told, "Name another as its default_model, or pull this one.")]
    told = f"It lists {len(models)} models"
    if not summary.has_credential:
        return [ok(name, f"{told}, without a key.")]
    if checked.private_list:
        return [ok(name, f"{told}, and accepts the key.")]
    return [ok(name, f"{told}. Whoever may see that: `cartrita providers check --full` calls it.")]


async def _clock(opened: list[OpenedProvider], http: HttpClient, seconds: float) -> list[Finding]:
    """No key is sent for this: every answer has the time."""
    for summary in (one.summary for one in opened):
        if summary.base_url is None:
            continue
        try:
            async with asyncio.timeout(seconds):
                answer = await get(http, summary.name, summary.base_url, seconds)
        except (UpstreamError, TimeoutError):
            continue
        if (date := parsed_date(answer.headers.get("date"))) is not None:
            ahead = date - answer.at
            if abs(ahead) < timedelta(seconds=1):  # it is told in whole seconds
                ahead = timedelta()
            told = _told(summary.name, ahead)
            return [clock_finding("clock (provider)", ahead, told)]
    return []


def _told(name: str, ahead: timedelta) -> str:
    way = "before" if ahead > timedelta() else "behind"
    return f"The clock of {name} is {abs(ahead).total_seconds():.0f} s {way} this machine's."


async def examine_langfuse(config: Langfuse, http: HttpClient, seconds: float) -> list[Finding]:
    """Whether it is reached and takes the keys; nothing where none are set."""
    if config.public_key is None or config.secret_key is None:
        if config.public_key or config.secret_key:
            told = "Only one of its two keys is set."
            fix = "Set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, or neither."
            return [problem("langfuse", told, fix)]
        return []
    host = config.address.rstrip("/")
    try:
        health = await get(http, "langfuse", f"{host}/api/public/health", seconds)
        keys = basic(config.public_key, config.secret_key)
        projects = await get(http, "langfuse", f"{host}/api/public/projects", seconds, keys)
    except UpstreamError as error:
        return [
            problem("langfuse", error.message, "Check LANGFUSE_BASE_URL; requests go on without.")
        ]
    if projects.status in _REFUSED:
        fix = "Take both keys from the settings of one project, at this host."
        return [problem("langfuse", f"{host} refuses the keys ({projects.status}).", fix)]
    if health.status != 200 or projects.status != 200:
        told = f"{host} answers {health.status} for its health and {projects.status} for projects."
        return [problem("langfuse", told, "Check LANGFUSE_BASE_URL, and the log of that server.")]
    if not (isinstance(_field(health, "status"), str) and _lists_projects(projects)):
        told = f"What answers at {host} is no Langfuse: no health and no projects of one."
        fix = "Check LANGFUSE_BASE_URL: a portal, a page to sign in or another server is there."
        return [problem("langfuse", told, fix)]
    if (version := _version(health)) is not None and version < _LEAST_LANGFUSE:
        told = f"{host} is Langfuse {'.'.join(map(str, version))}, which takes no traces of ours."
        return [problem("langfuse", told, "Upgrade it to 4.59 or newer.")]
    return [ok("langfuse", f"{host} is well and accepts the keys.")]


def _version(health: Answered) -> tuple[int, ...] | None:
    """The version of a Langfuse server, as far as it tells it."""
    found = re.match(r"(\d{1,6})\.(\d{1,6})", str(_field(health, "version")))
    return None if found is None else (int(found[1]), int(found[2]))


def _lists_projects(projects: Answered) -> bool:
    """Whether this is the answer of Langfuse to keys: the project that they are of."""
    return isinstance(_field(projects, "data"), list)


def _field(answered: Answered, name: str) -> object:
    """A field of an answer; None where there is none."""
    told = answered.json()
    return cast("dict[str, object]", told).get(name) if isinstance(told, dict) else None
