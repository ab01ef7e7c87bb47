"""The sandbox in which programs of agents run."""

from pathlib import Path
from typing import NamedTuple

import structlog

from cartrita.adapters.sandbox.orders import SandboxBounds
from cartrita.adapters.sandbox.programs import SandboxedPrograms, probe
from cartrita.domain.ports.code import ProgramRunner
from cartrita.settings import Settings

log = structlog.get_logger(__name__)


class Sandbox(NamedTuple):
    """What runs programs, if anything does, and how they are shut in, in words."""

    runner: ProgramRunner | None = None
    told: str | None = None


async def open_sandbox(settings: Settings) -> Sandbox:
    """The best sandbox that the system allows, found out by running a first program in it."""
    if not settings.code.enabled:
        return Sandbox()
    complete = _programs(settings, namespaces=True)
    isolation = await probe(complete, namespaces=True)
    if isolation.available:
        return Sandbox(complete, isolation.told)
    if settings.code.partial:
        partial = _programs(settings, namespaces=False)
        isolation = await probe(partial, namespaces=False)
        if isolation.available:
            log.warning("sandbox_is_partial", missing=isolation.missing)
            return Sandbox(partial, isolation.told)
    log.warning("no_sandbox", reason=isolation.reason)
    return Sandbox(told=isolation.told)


def _programs(settings: Settings, *, namespaces: bool) -> SandboxedPrograms:
    code = settings.code
    bounds = SandboxBounds(
        seconds=code.timeout_s,
        memory_bytes=code.memory_bytes,
        disk_bytes=code.disk_bytes,
        processes=code.processes_max,
        output_bytes=code.output_bytes,
    )
    storage = settings.files.storage
    local = [] if storage is None or storage.startswith("s3://") else [Path(storage)]
    return SandboxedPrograms(
        bounds,
        namespaces=namespaces,
        hidden=(settings.data_dir, *local),
        parallel=code.parallel,
    )
