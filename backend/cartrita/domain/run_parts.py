"""Parts of runs: for which agent of which run something is done."""

import msgspec

from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.prompts import PromptVersion


class RunPart(msgspec.Struct, frozen=True):
    """What one agent does in a run, by the `prompt`: it answers, or does the task `task_id`."""

    run_id: RunId
    conversation_id: ConversationId
    agent: str
    task_id: str | None = None
    prompt: PromptVersion | None = None
