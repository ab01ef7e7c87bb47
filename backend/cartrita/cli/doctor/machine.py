"""Checks what the machine has for programs of agents, desktops and voice, as /ready tells it."""

from collections.abc import Iterator

from cartrita.adapters.desktop.programs import missing_walls
from cartrita.assembly.code import open_sandbox
from cartrita.assembly.desktops import look_for_desktops
from cartrita.assembly.speech_machine import speech_machine
from cartrita.cli.doctor.findings import Finding, ok, problem, warning
from cartrita.domain.speech import SpeechModel
from cartrita.settings import Settings


async def examine_machine(settings: Settings) -> list[Finding]:
    """What is switched on, and what is missing for it."""
    return [
        await _sandbox(settings),
        *await _desktops(settings),
        *_voice(settings),
    ]


async def _sandbox(settings: Settings) -> Finding:
    told = (await open_sandbox(settings)).told
    if told is None:
        return ok("sandbox", "Programs of agents are not run (CARTRITA_CODE_ENABLED).")
    if told.startswith("full"):
        return ok("sandbox", "Programs of agents are shut in fully.")
    fix = "See docs/agents.md for what the kernel and the container must allow."
    if told.startswith("partial"):
        return warning("sandbox", f"Programs of agents are shut in: {told}.", fix)
    return problem("sandbox", f"Programs of agents cannot be shut in: {told}.", fix)


async def _desktops(settings: Settings) -> list[Finding]:
    if not settings.desktop.enabled:
        return [ok("desktops", "There are none (CARTRITA_DESKTOP_ENABLED).")]
    isolation, missing = await look_for_desktops(settings)
    if missing:
        lines = "; ".join(missing)
        return [problem("desktops", "They cannot be started: something is missing.", lines)]
    if without := missing_walls(isolation):
        fix = "Run on a kernel that has them, or take desktops for less shut in than others."
        return [warning("desktops", " ".join(without), fix)]
    return [ok("desktops", f"They are shut in by {isolation}.")]


def _voice(settings: Settings) -> Iterator[Finding]:
    """What this machine can do itself; what calls others is beside the providers."""
    machine = speech_machine(settings)
    outside = settings.deepgram.api_key is not None
    for name, models in (
        ("voice in", machine.transcriber.models),
        ("voice out", machine.synthesizer.models),
    ):
        yield _engines(name, models, outside=outside)


def _engines(name: str, models: tuple[SpeechModel, ...], *, outside: bool) -> Finding:
    usable = [one.name for one in models if not one.needs]
    if usable:
        return ok(name, f"This machine has {', '.join(usable)}.")
    if outside:
        return ok(name, "This machine has no engine of its own; Deepgram has a key.")
    needs = next((one.needs for one in models if one.needs), "")
    return warning(name, "This machine has no engine of its own.", needs or "")
