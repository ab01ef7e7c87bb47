"""`cartrita providers list | check`."""

import argparse
import asyncio

from cartrita.adapters.http.client import HttpClient
from cartrita.application.credentials.provider_checks import ProviderChecks
from cartrita.assembly.providers import create_provider_checks, open_providers
from cartrita.cli.errors import CommandError
from cartrita.domain.provider_checks import CheckReport
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    asyncio.run(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> None:
    async with HttpClient() as http:
        checks = create_provider_checks(settings, await open_providers(settings, http))
        if given.verb == "list":
            _list(checks)
            return
        names = [given.name] if given.name else [one.name for one in checks.summaries()]
        reports = [await checks.check(name, full=given.full) for name in names]
    for report in reports:
        _print(report)
    failed = [report.provider for report in reports if not report.ok]
    if failed:
        raise CommandError(f"The test of {', '.join(failed)} failed.")
    if not reports:
        print("No provider is configured; the offline model answers.")


def _list(checks: ProviderChecks) -> None:
    for one in checks.summaries():
        credential = "with a credential" if one.has_credential else "without a credential"
        print(f"{one.name}  {one.dialect}  {one.base_url}  {credential}")


def _print(report: CheckReport) -> None:
    for step in report.steps:
        result = "ok" if step.ok else "FAILED"
        print(f"{report.provider}  {step.name}  {result}  {step.seconds:.2f} s  {step.detail}")
        if step.advice:
            print(f"    {step.advice}")
