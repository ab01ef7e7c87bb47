"""Checks the ports to listen on: free, or taken by this server itself, which is then asked."""

import socket
from collections.abc import Mapping
from typing import cast

from cartrita.adapters.http.client import HttpClient
from cartrita.cli.doctor.findings import Finding, ok, problem
from cartrita.cli.doctor.requests import Answered, get
from cartrita.cli.server_address import browser_url, listening_ports
from cartrita.domain.errors import UpstreamError
from cartrita.settings import Settings

_SERVER = "cartrita"


async def examine_ports(settings: Settings, http: HttpClient, seconds: float) -> list[Finding]:
    """Each port of the settings."""
    host = settings.server.host
    found: list[Finding] = []
    for variable, port in listening_ports(settings).items():
        found += await _examine_port(host, port, variable, http, seconds)
    return found


async def _examine_port(
    host: str, port: int, variable: str, http: HttpClient, seconds: float
) -> list[Finding]:
    name = f"port {port}"
    if port == 0:
        return [ok("port", "Any free one is taken.")]
    refused = _refusal(host, port)
    if refused is None:
        return [ok(name, f"It is free at {host}; no server runs there.")]
    url = browser_url(host, port)
    try:
        health = await get(http, "the server", f"{url}/health", seconds)
        ready = await get(http, "the server", f"{url}/ready", seconds)
    except UpstreamError:
        return [_taken(name, host, refused, variable)]
    if not _is_ours(health):
        return [_taken(name, host, refused, variable)]
    if ready.status != 200:
        fix = "See its log: GET /ready with a key tells which part does not work."
        return [problem(name, f"A Cartrita serves at {url} and is not ready.", fix)]
    return [ok(name, f"A Cartrita {_version(health.json())} serves at {url}, and is ready.")]


def _refusal(host: str, port: int) -> str | None:
    """Why nobody could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or type(error).__name__
    return None


def _taken(name: str, host: str, reason: str, variable: str) -> Finding:
    fix = f"Stop what uses it, or choose another with {variable}."
    return problem(name, f"Nobody can listen there at {host} ({reason}).", fix)


def _is_ours(health: Answered) -> bool:
    return health.status == 200 and health.headers.get("server") == _SERVER


def _version(health: object) -> str:
    if not isinstance(health, Mapping):
        return "of unknown version"
    return str(cast("Mapping[str, object]", health).get("version"))[:32]
