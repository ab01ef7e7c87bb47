"""Combinations of settings that do not work together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cartrita.adapters.desktop.orders import FOLDER_SIGN
from cartrita.adapters.providers.registry import PROVIDERS
from cartrita.domain.embeddings import LOCAL_MODEL, LOCAL_PROVIDER
from cartrita.domain.models import OFFLINE
from cartrita.settings.addresses import is_literal
from cartrita.settings.errors import closest_name, display_value
from cartrita.settings.settings import Settings

_ENVIRONMENT: Final = re.compile(r"(?!langfuse)[a-z0-9_-]{1,40}")
_SPEECH: Final = ("deepgram", "embedded")
"""Providers of speech that are none of models."""


@dataclass(frozen=True, slots=True)
class SettingsConflict:
    """What is wrong, and the paths of the settings involved, the most likely cause first."""

    paths: tuple[tuple[str, ...], ...]
    text: str


def conflicts(settings: Settings) -> Iterator[SettingsConflict]:
    """The conflicts that prevent a start."""
    yield from _open_to_network(settings)
    yield from _durations(settings)
    yield from _api_provider(settings)
    yield from _default_model(settings)
    yield from _speech_engines(settings)
    yield from _embeddings_model(settings)
    yield from _oauth(settings)
    yield from _plain_tool_servers(settings)
    yield from _containers_of_desktops(settings)
    yield from _environment(settings)
    if settings.cache.store == "valkey" and settings.valkey.url is None:
        yield SettingsConflict(
            (("cache", "store"),), "valkey has no address here; set CARTRITA_VALKEY_URL"
        )
    if settings.search.provider == "searxng" and settings.searxng.base_url is None:
        yield SettingsConflict(
            (("search", "provider"),), "searxng has no address here; set SEARXNG_BASE_URL"
        )
    s3 = settings.files.s3
    if (s3.access_key_id is None) != (s3.secret_access_key is None):
        yield SettingsConflict(
            (("files", "s3", "access_key_id"), ("files", "s3", "secret_access_key")),
            "a key of S3 has two parts; set both or neither",
        )
    script = settings.offline.script
    if script and not script.is_file():
        yield SettingsConflict(
            (("offline", "script"),), "there is no such file; correct or remove it"
        )


def warnings(settings: Settings) -> Iterator[SettingsConflict]:
    """What is probably a mistake, and does not prevent a start."""
    name = settings.providers.api_provider
    spec = PROVIDERS.get(name or "")
    if spec and not spec.local and name not in settings.providers_by_name:
        text = f"{name} has no key here, so it is not the default; set {spec.key_variables[0]}"
        yield SettingsConflict((("providers", "api_provider"),), text)
    unused = settings.cache.store != "valkey" and not settings.limits.providers.enabled
    if settings.valkey.url is not None and unused:
        text = "nothing is kept there; set CARTRITA_CACHE_STORE=valkey"
        yield SettingsConflict((("valkey", "url"),), text)
    langfuse = settings.langfuse
    if langfuse.public_key is None and langfuse.secret_key is not None:
        text = "no traces are sent with one key; set LANGFUSE_PUBLIC_KEY too"
        yield SettingsConflict((("langfuse", "secret_key"),), text)
    prompted = [one.id for one in settings.agents.entries if one.instructions_prompt]
    if prompted and langfuse.keys is None:
        text = (
            f"{prompted[0]} has an instructions_prompt, and Langfuse no keys here; "
            "set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
        )
        yield SettingsConflict((("agents", "entries"),), text)
    if langfuse.secret_key is None and langfuse.public_key is not None:
        text = "no traces are sent with one key; set LANGFUSE_SECRET_KEY too"
        yield SettingsConflict((("langfuse", "public_key"),), text)


def _open_to_network(settings: Settings) -> Iterator[SettingsConflict]:
    if settings.auth.mode == "loopback" and not settings.server.loopback:
        text = (
            f"loopback asks no key, and server.host {display_value(settings.server.host)} "
            "is open to the network; bind 127.0.0.1 or use keys"
        )
        yield SettingsConflict((("auth", "mode"), ("server", "host")), text)
    if settings.auth.legacy_query_keys and not settings.server.loopback:
        text = (
            f"keys in URLs are for this machine only, and server.host "
            f"{display_value(settings.server.host)} is open to the network; bind 127.0.0.1"
        )
        yield SettingsConflict((("auth", "legacy_query_keys"), ("server", "host")), text)


def _durations(settings: Settings) -> Iterator[SettingsConflict]:
    server, log = settings.server, settings.run_log
    if server.drain_s >= server.exit_s:
        text = (
            f"draining for {server.drain_s:g} s leaves no time to exit "
            f"after {server.exit_s:g} s; make server.exit_s larger than server.drain_s"
        )
        yield SettingsConflict((("server", "drain_s"), ("server", "exit_s")), text)
    if log.poll_s >= log.lease_s:
        text = (
            f"polling every {log.poll_s:g} s is too slow for a lease of {log.lease_s:g} s; "
            "make run_log.poll_s smaller than run_log.lease_s"
        )
        yield SettingsConflict((("run_log", "poll_s"), ("run_log", "lease_s")), text)


def _containers_of_desktops(settings: Settings) -> Iterator[SettingsConflict]:
    if settings.desktop.isolation != "container":
        return
    command = settings.desktop.container_command
    if not command:
        yield SettingsConflict(
            (("desktop", "isolation"),),
            "nothing says how a container is started; set CARTRITA_DESKTOP_CONTAINER_COMMAND",
        )
    elif not any(FOLDER_SIGN in word for word in command):
        yield SettingsConflict(
            (("desktop", "container_command"),),
            f"it shares no folder with the desktop; write --volume={FOLDER_SIGN}:{FOLDER_SIGN}",
        )


def _api_provider(settings: Settings) -> Iterator[SettingsConflict]:
    name = settings.providers.api_provider
    known = PROVIDERS.keys() | settings.providers_by_name.keys() | {OFFLINE}
    if name is None or name in known:
        return
    closest = closest_name(name, sorted(known))
    fix = f"did you mean {closest}?" if closest else f"known are {', '.join(sorted(known))}"
    text = f"{display_value(name)} is not a provider; {fix}"
    yield SettingsConflict((("providers", "api_provider"),), text)


def _default_model(settings: Settings) -> Iterator[SettingsConflict]:
    provider, separator, _ = (settings.providers.default_model or "").partition("/")
    known = PROVIDERS.keys() | settings.providers_by_name.keys() | {OFFLINE}
    if separator and provider not in known:
        text = (
            f"there is no provider {display_value(provider)}; known are {', '.join(sorted(known))}"
        )
        yield SettingsConflict((("providers", "default_model"),), text)


def _speech_engines(settings: Settings) -> Iterator[SettingsConflict]:
    """One that is misspelt would have another one heard by, and paid, for ever."""
    known = sorted({*_SPEECH, *PROVIDERS, *settings.providers_by_name})
    voice = settings.voice
    preferred = (("transcribers", voice.transcribers), ("synthesizers", voice.synthesizers))
    for field, names in preferred:
        for name in names:
            provider = name.partition("/")[0]
            if provider not in known:
                text = f"there is no provider {display_value(provider)}; known are "
                yield SettingsConflict((("voice", field),), text + ", ".join(known))


def _embeddings_model(settings: Settings) -> Iterator[SettingsConflict]:
    model = settings.files.embeddings_model
    provider, _, name = (model or LOCAL_MODEL).partition("/")
    if not (provider and name):
        text = f"{display_value(model)} is not provider/model"
    elif provider == LOCAL_PROVIDER and model not in (None, LOCAL_MODEL):
        text = f"only {LOCAL_MODEL} is local"
    else:
        return
    yield SettingsConflict((("files", "embeddings_model"),), text)


def _plain_tool_servers(settings: Settings) -> Iterator[SettingsConflict]:
    for server in settings.mcp.entries:
        url = server.url or ""
        listed = urlsplit(url).hostname in settings.mcp.private_hosts
        if url.startswith("http://") and not listed and not is_literal(url):
            text = (
                f"{server.name} has a url without encryption; write https://, or list its host in "
                "mcp.private_hosts"
            )
            yield SettingsConflict((("mcp", "entries"),), text)


def _environment(settings: Settings) -> Iterator[SettingsConflict]:
    environment = settings.tracing.environment
    if environment is not None and not _ENVIRONMENT.fullmatch(environment):
        yield SettingsConflict(
            (("tracing", "environment"),),
            f"{display_value(environment)} is no environment of Langfuse; write up to 40 small "
            "letters, digits, - and _, and do not begin with langfuse",
        )


def _oauth(settings: Settings) -> Iterator[SettingsConflict]:
    if "oca" not in settings.providers_by_name:
        return  # the OAUTH_* variables may belong to another program
    parts = {
        "token_url": settings.oauth.token_url,
        "client_id": settings.oauth.client_id,
        "client_secret": settings.oauth.client_secret,
    }
    missing = [name for name, value in parts.items() if value is None]
    if missing and len(missing) < len(parts):
        paths = tuple(("oauth", name) for name in parts)
        names = ", ".join(f"OAUTH_{name.upper()}" for name in missing)
        yield SettingsConflict(paths, f"it does not work alone; set {names} too")
