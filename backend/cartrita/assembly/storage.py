"""What a worker keeps in the database: the run log, and the tables beside it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from cartrita.adapters.persistence.budgets import BudgetTable
from cartrita.adapters.persistence.cached_answers import CachedAnswerTable
from cartrita.adapters.persistence.conversation_removal import ConversationRemover
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.credentials import CredentialTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.feedback import UnsentScoreTable
from cartrita.adapters.persistence.items import ItemTable
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.persistence.run_removal import RunRemover
from cartrita.adapters.persistence.search import FullText
from cartrita.adapters.persistence.slots import SlotTable
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.application.cleanup import Cleanup
from cartrita.application.conversations.scores import AbandonedScores
from cartrita.assembly.answer_cache import cache_bounds
from cartrita.assembly.database import open_connection_pool
from cartrita.assembly.files import FileParts
from cartrita.assembly.run_log import open_run_log
from cartrita.domain.ports.cleanup import Sweep
from cartrita.domain.ports.metrics import LogCounts
from cartrita.domain.ports.tracing import Tracer
from cartrita.settings import Settings

_CLEANUP_INTERVAL_S = 60.0


class Storage(NamedTuple):
    """The run log, the pool of connections for all else, and what is read and written by it."""

    run_log: RunLog
    database: Database
    conversations: ConversationTable
    messages: MessageTree
    items: ItemTable
    conversation_removal: ConversationRemover
    run_removal: RunRemover
    search: FullText
    ledger: LedgerTable


@asynccontextmanager
async def open_storage(
    settings: Settings, dsn: str, slot: WorkerSlot, counts: LogCounts, tracer: Tracer | None
) -> AsyncGenerator[Storage]:
    """Connect to the database, and take the lease of this slot."""
    async with (
        open_connection_pool(settings, dsn) as database,
        open_run_log(settings, dsn, slot, counts, tracer) as run_log,
    ):
        yield Storage(
            run_log=run_log,
            database=database,
            conversations=ConversationTable(database),
            messages=MessageTree(database),
            items=ItemTable(database),
            conversation_removal=ConversationRemover(database),
            run_removal=RunRemover(database),
            search=FullText(database),
            ledger=LedgerTable(
                database,
                interval_s=settings.ledger.flush_interval_s,
                capacity=settings.ledger.pending_max,
                retention_days=settings.ledger.retention_days,
            ),
        )


def create_cleanup(
    settings: Settings, storage: Storage, files: FileParts, *, scored: bool
) -> Cleanup:
    """What removes from the tables that which is kept no longer.

    Where somebody sends scores (`scored`), they forget them too, and count them.
    """
    abandoned = AbandonedScores(
        UnsentScoreTable(storage.database), kept_s=settings.tracing.scores_kept_s
    )
    sweeps: dict[str, Sweep] = {
        "tickets": TicketTable(storage.database),
        "cached_answers": CachedAnswerTable(storage.database, cache_bounds(settings)),
        "ledger": storage.ledger,
        "credentials": CredentialTable(storage.database),
        "limit_leases": SlotTable(storage.database),
        "budget_spending": BudgetTable(storage.database),
        "files": files.removal,
        **({} if scored else {"unsent_scores": abandoned}),
    }
    return Cleanup(storage.conversation_removal, sweeps, interval_s=_CLEANUP_INTERVAL_S)
