"""`cartrita doctor`: examine the settings, the machine and all that the server depends on."""

import argparse
import asyncio
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlsplit

from cartrita import logs
from cartrita.adapters.http.client import HttpClient
from cartrita.cli.doctor.collectors import examine_collector
from cartrita.cli.doctor.databases import examine_database
from cartrita.cli.doctor.findings import (
    Finding,
    any_problem,
    in_time,
    json_of,
    ok,
    problem,
    text_of,
    warning,
)
from cartrita.cli.doctor.folders import examine_folders
from cartrita.cli.doctor.machine import examine_machine
from cartrita.cli.doctor.ports import examine_ports
from cartrita.cli.doctor.prices import examine_prices
from cartrita.cli.doctor.stores import examine_store
from cartrita.cli.doctor.streams import DEFAULT_MODEL, examine_stream
from cartrita.cli.doctor.upstreams import examine_langfuse, examine_providers
from cartrita.kit.at_once import all_of
from cartrita.kit.secret import Secret
from cartrita.settings import Settings, environment
from cartrita.settings.addresses import is_loopback

_KEY = "CARTRITA_CLIENT_KEY"


def run(settings: Settings, given: argparse.Namespace) -> None:
    """Print what was found; exits with 1 if something does not work."""
    logs.configure("error")  # what the parts would log is among the findings
    _tell(asyncio.run(_examine(settings, given)), given)


def refuse(errors: Sequence[str], given: argparse.Namespace) -> NoReturn:
    """Tell that the settings are wrong: nothing else can be looked at then."""
    _tell([problem("settings", error, "") for error in errors], given)
    raise SystemExit(1)


def _tell(findings: Sequence[Finding], given: argparse.Namespace) -> None:
    print(json_of(findings) if given.json else text_of(findings))
    if any_problem(findings):
        raise SystemExit(1)


async def _examine(settings: Settings, given: argparse.Namespace) -> list[Finding]:
    seconds: float = given.timeout
    findings = [*_settings(settings), *examine_folders(settings), *examine_prices(settings)]
    findings += await examine_database(settings)
    async with HttpClient() as http:
        parts = [
            in_time("storage", seconds, examine_store(settings)),
            examine_providers(settings, http, seconds),
            in_time("langfuse", seconds, examine_langfuse(settings.langfuse, http, seconds)),
            in_time("collector", seconds, examine_collector(settings.otlp, http, seconds)),
            in_time("port", 3 * seconds, examine_ports(settings, http, seconds)),
            in_time("machine", 3 * seconds, examine_machine(settings)),
        ]
        for found in await all_of(parts):
            findings += found
        if given.url is not None:
            url: str = given.url.rstrip("/")
            model: str = given.model or DEFAULT_MODEL
            key = _key(settings, url)
            findings += await examine_stream(url, key, model, http, 3 * seconds)
    return findings


def _settings(settings: Settings) -> list[Finding]:
    if not settings.warnings:
        return [ok("settings", "They can be used.")]
    fix = "docs/configuration.md has all of them."
    return [warning("settings", f"{each.rstrip('.')}.", fix) for each in settings.warnings]


def _key(settings: Settings, url: str) -> Secret | None:
    """The key to ask with: the one that was given for it, or the bootstrap key on this machine."""
    given = environment().get(_KEY, "").strip()
    if given:
        return Secret(given)
    host = urlsplit(url).hostname or ""
    own = is_loopback(host) or host == settings.server.host.lower()
    return settings.auth.bootstrap_key if own else None
