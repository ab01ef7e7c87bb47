"""Settings that are right one by one and wrong together."""

from collections.abc import Iterator
from dataclasses import dataclass

from cartrita.settings.addresses import shown
from cartrita.settings.model import Settings
from cartrita.settings.problems import nearest
from cartrita.settings.vendors import VENDORS


@dataclass(frozen=True, slots=True)
class Conflict:
    """What is wrong, and the settings that took part in it, the likeliest culprit first."""

    places: tuple[tuple[str, ...], ...]
    text: str


def conflicts(settings: Settings) -> Iterator[Conflict]:
    """What refuses to start."""
    yield from _open_door(settings)
    yield from _times(settings)
    yield from _api_provider(settings)
    yield from _oauth(settings)
    script = settings.offline.script
    if script and not script.is_file():
        yield Conflict((("offline", "script"),), "there is no such file; correct or remove it")


def doubts(settings: Settings) -> Iterator[Conflict]:
    """What is probably not meant, and can be lived with."""
    name = settings.providers.api_provider
    keys = [vendor.keys for vendor in VENDORS if vendor.name == name and vendor.port is None]
    if keys and name not in settings.provider_credentials:
        text = f"{name} has no key here, so it is not the default; set {keys[0][0]}"
        yield Conflict((("providers", "api_provider"),), text)


def _open_door(settings: Settings) -> Iterator[Conflict]:
    if settings.auth.mode == "loopback" and not settings.server.loopback:
        text = (
            f"loopback asks no key, and server.host {shown(settings.server.host)} "
            "is open to the network; bind 127.0.0.1 or use keys"
        )
        yield Conflict((("auth", "mode"), ("server", "host")), text)


def _times(settings: Settings) -> Iterator[Conflict]:
    server, log = settings.server, settings.run_log
    if server.drain_s >= server.exit_s:
        text = (
            f"draining for {server.drain_s:g} s leaves no time to exit "
            f"after {server.exit_s:g} s; make server.exit_s larger than server.drain_s"
        )
        yield Conflict((("server", "drain_s"), ("server", "exit_s")), text)
    if log.poll_s >= log.lease_s:
        text = (
            f"polling every {log.poll_s:g} s is too slow for a lease of {log.lease_s:g} s; "
            "make run_log.poll_s smaller than run_log.lease_s"
        )
        yield Conflict((("run_log", "poll_s"), ("run_log", "lease_s")), text)


def _api_provider(settings: Settings) -> Iterator[Conflict]:
    name = settings.providers.api_provider
    known = {vendor.name for vendor in VENDORS} | settings.provider_credentials.keys() | {"offline"}
    if name is None or name in known:
        return
    near = nearest(name, sorted(known))
    fix = f"did you mean {near}?" if near else f"known are {', '.join(sorted(known))}"
    yield Conflict((("providers", "api_provider"),), f"{shown(name)} is not a provider; {fix}")


def _oauth(settings: Settings) -> Iterator[Conflict]:
    if "oca" not in settings.provider_credentials:
        return  # such names may be somebody else's
    parts = {
        "token_url": settings.oauth.token_url,
        "client_id": settings.oauth.client_id,
        "client_secret": settings.oauth.client_secret,
    }
    missing = [name for name, value in parts.items() if value is None]
    if missing and len(missing) < len(parts):
        places = tuple(("oauth", name) for name in parts)
        names = ", ".join(f"OAUTH_{name.upper()}" for name in missing)
        yield Conflict(places, f"it does not work alone; set {names} too")
