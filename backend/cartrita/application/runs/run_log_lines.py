"""What the log tells of runs: whose lines are whose, and how each ended."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import anyio
import structlog

from cartrita.application.runs.active_runs import ActiveRun
from cartrita.domain.events import RunCompleted
from cartrita.domain.fold import Fold
from cartrita.domain.runs import Claim, Ending
from cartrita.kit.pseudonyms import pseudonym

log = structlog.get_logger(__name__)

_OTHER: Final = "other"


def bind_run(claim: Claim) -> None:
    """Have all that this task logs, and those that it starts, tell the run and its surface."""
    surface = claim.surface.partition("_")[0]
    structlog.contextvars.bind_contextvars(run_id=claim.run_id.hex, surface=surface)


def log_end(run: ActiveRun, ending: Ending) -> None:
    """Write the line about a run that has ended, without anything that was said in it."""
    claim, event = run.claim, ending.event
    completed = event if isinstance(event, RunCompleted) else None
    log.info(
        "run_ended",
        status=ending.status,
        agent=claim.started.agent,
        agents=completed.agents_used if completed else None,
        provider=completed.provider if completed else claim.started.provider,
        model=completed.model if completed else claim.started.model,
        message_id=claim.started.message_id,
        conversation_id=claim.conversation_id.hex,
        stop_reason=completed.finish_reason if completed else None,
        code=None if completed else getattr(event, "code", None),
        parts=_parts(run.answer),
        calls=run.answer.calls,
        failovers=len(completed.failovers) if completed else None,
        input_tokens=ending.usage.input_tokens,
        output_tokens=ending.usage.output_tokens,
        seconds=round(anyio.current_time() - run.started_at, 4),
        first_token_seconds=_first_token_seconds(run),
        attempt=claim.attempt,
        owner=pseudonym(claim.owner_id),
        key_id=claim.input.key_id,
    )


def _parts(answer: Fold) -> Mapping[str, int]:
    return Counter(str(part.__struct_config__.tag or _OTHER) for part in answer.parts)


def _first_token_seconds(run: ActiveRun) -> float | None:
    first = run.journal.first_seen_at
    return None if first is None else round(first - run.started_at, 4)
