"""All metrics of a worker, by name: docs/monitoring.md has the same table."""

from collections.abc import Iterator
from typing import TypeVar

from cartrita.adapters.metrics.families import Counter, Family, Gauge, Histogram

_ANSWER_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_CALL_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
_FIRST_TOKEN_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60)
_WAIT_S = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60)
_RUN_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)
_FLUSH_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_FLUSH_EVENTS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)
_LATE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

F = TypeVar("F", bound=Family)


class Catalogue:
    """The families of one worker, in the order in which they are told."""

    def __init__(self) -> None:
        self._all: list[Family] = []
        self._requests()
        self._calls()
        self._waits()
        self._runs()
        self._storage()
        self._process()

    def __iter__(self) -> Iterator[Family]:
        return iter(self._all)

    @property
    def models_told(self) -> Iterator[tuple[str, str]]:
        """The models that have their names here, each with its provider."""
        return ((provider, model) for _, provider, model, _ in self.calls.values)

    def _requests(self) -> None:
        self.requests = self._kept(
            Counter(
                "cartrita_http_requests_total",
                "Requests that were answered.",
                *("surface", "method", "route", "status"),
            )
        )
        self.request_seconds = self._kept(
            Histogram(
                "cartrita_http_request_seconds",
                "How long requests took until the end of their answers, streams included.",
                *("surface", "route"),
                bounds=_ANSWER_S,
            )
        )
        self.refused = self._kept(
            Counter("cartrita_http_refused_total", "Requests beyond a limit of requests.", "limit")
        )
        self.streams_open = self._kept(
            Gauge("cartrita_streams_open", "Answers that are being sent or waited for.")
        )
        self.sockets_open = self._kept(
            Gauge("cartrita_websockets_open", "WebSockets that are open.", "path")
        )
        self.sockets_closed = self._kept(
            Counter(
                "cartrita_websockets_closed_total", "WebSockets that have closed.", "path", "code"
            )
        )
        self.live_voice = self._kept(
            Gauge("cartrita_voice_conversations_open", "Live conversations that are listened to.")
        )
        self.desktops = self._kept(
            Gauge("cartrita_desktops_running", "Desktops that run on this machine.")
        )

    def _calls(self) -> None:
        call = ("surface", "provider", "model")
        self.calls = self._kept(
            Counter(
                "cartrita_provider_calls_total",
                "Calls of providers that were made, by how they ended.",
                *call,
                "outcome",
            )
        )
        self.call_seconds = self._kept(
            Histogram(
                "cartrita_provider_call_seconds",
                "How long calls of providers took.",
                *("provider", "outcome"),
                bounds=_CALL_S,
            )
        )
        self.first_token_seconds = self._kept(
            Histogram(
                "cartrita_first_token_seconds",
                "How long providers took to their first output.",
                *("surface", "provider"),
                bounds=_FIRST_TOKEN_S,
            )
        )
        self.tokens = self._kept(
            Counter(
                "cartrita_tokens_total",
                "Tokens; those of the cache are in input too, those of reasoning in output.",
                *call,
                "class",
            )
        )
        self.cost = self._kept(
            Counter("cartrita_cost_dollars_total", "US dollars that calls have cost.", *call)
        )
        self.unpriced = self._kept(
            Counter("cartrita_unpriced_calls_total", "Calls whose price is not known.", *call)
        )
        self.audio_seconds = self._kept(
            Counter("cartrita_audio_seconds_total", "Seconds that were transcribed.", "provider")
        )
        self.characters = self._kept(
            Counter("cartrita_spoken_characters_total", "Characters that were spoken.", "provider")
        )
        self.agent_calls = self._kept(
            Counter(
                "cartrita_agent_calls_total",
                "Calls of providers that were made for an agent.",
                *("agent", "outcome"),
            )
        )
        self.errors = self._kept(
            Counter(
                "cartrita_provider_errors_total",
                "Attempts that failed and answers that broke off, by the kind of error.",
                *("provider", "code"),
            )
        )
        self.retries = self._kept(
            Counter("cartrita_retries_total", "Deployments that were tried again.", "provider")
        )
        self.failovers = self._kept(
            Counter(
                "cartrita_failovers_total",
                "Answers that another deployment gave or went on with, by who failed.",
                *("provider", "continued"),
            )
        )
        self.unhealthy = self._kept(
            Gauge(
                "cartrita_deployments_unhealthy",
                "Deployments whose last call failed, by state.",
                *("provider", "state"),
            )
        )
        self.cache = self._kept(
            Counter("cartrita_cache_lookups_total", "Answers looked for in the cache.", "result")
        )
        self.cached = self._kept(
            Counter("cartrita_cache_stored_total", "Answers that were put into the cache.")
        )

    def _waits(self) -> None:
        self.queue = self._kept(
            Gauge(
                "cartrita_provider_queue_calls",
                "Calls that wait for their turn at a provider.",
                "provider",
            )
        )
        self.queue_seconds = self._kept(
            Histogram(
                "cartrita_provider_queue_seconds",
                "How long calls waited for their turn, of those that had to, and whether it came.",
                *("provider", "result"),
                bounds=_WAIT_S,
            )
        )

    def _runs(self) -> None:
        self.runs_active = self._kept(
            Gauge("cartrita_runs_active", "Runs that are being executed.")
        )
        self.runs_claimed = self._kept(
            Counter(
                "cartrita_runs_claimed_total", "Runs that were begun or gone on with.", "surface"
            )
        )
        self.runs_left = self._kept(
            Counter(
                "cartrita_runs_left_total",
                "Runs whose execution ended, by the state they are left in.",
                *("surface", "status"),
            )
        )
        self.runs_orphaned = self._kept(
            Counter(
                "cartrita_runs_orphaned_total",
                "Runs whose worker was gone, by what became of them.",
                "status",
            )
        )
        self.run_seconds = self._kept(
            Histogram(
                "cartrita_run_seconds",
                "How long runs were executed for.",
                "status",
                bounds=_RUN_S,
            )
        )

    def _storage(self) -> None:
        self.flush_seconds = self._kept(
            Histogram(
                "cartrita_run_log_flush_seconds",
                "How long groups of events took to be committed and shown.",
                bounds=_FLUSH_S,
            )
        )
        self.flush_events = self._kept(
            Histogram("cartrita_run_log_flush_events", "Events of one group.", bounds=_FLUSH_EVENTS)
        )
        self.flush_runs = self._kept(
            Counter("cartrita_run_log_flushed_runs_total", "Runs of all groups together.")
        )
        self.flush_failures = self._kept(
            Counter(
                "cartrita_run_log_flush_failures_total",
                "Attempts at a group that the database did not take.",
            )
        )
        self.ledger_pending = self._kept(
            Gauge("cartrita_ledger_pending", "Entries of the usage ledger that wait to be stored.")
        )
        self.ledger_lost = self._kept(
            Counter(
                "cartrita_ledger_lost_total",
                "Entries that were lost, because too many waited or the database refused them.",
            )
        )
        self.spans_dropped = self._kept(
            Counter("cartrita_spans_dropped_total", "Spans of traces that were lost.")
        )
        self.scores = self._kept(
            Counter(
                "cartrita_scores_total",
                "Scores of answers that Langfuse took or refused, or that waited for too long.",
                "outcome",
            )
        )
        self.scores_pending = self._kept(
            Gauge(
                "cartrita_scores_pending",
                "Scores of all replicas that wait to be sent for longer than usual.",
            )
        )
        self.connections = self._kept(
            Gauge(
                "cartrita_database_connections",
                "Connections of a pool, in use or idle.",
                *("pool", "state"),
            )
        )
        self.connections_max = self._kept(
            Gauge("cartrita_database_connections_max", "The most of a pool.", "pool")
        )

    def _process(self) -> None:
        self.ready = self._kept(
            Gauge("cartrita_ready", "Whether a worker serves well: 1 or 0.", "worker")
        )
        self.workers = self._kept(Gauge("cartrita_workers", "Workers that live.", "version"))
        self.late_seconds = self._kept(
            Histogram(
                "cartrita_event_loop_late_seconds",
                "How late a timer of a worker was, each second.",
                bounds=_LATE_S,
            )
        )
        for family in (
            Counter("cartrita_process_cpu_seconds_total", "Processor time.", "worker"),
            Gauge("cartrita_process_resident_memory_bytes", "Memory that it takes.", "worker"),
            Gauge("cartrita_process_virtual_memory_bytes", "Memory that it may use.", "worker"),
            Gauge("cartrita_process_open_fds", "Files and sockets that it has open.", "worker"),
            Gauge("cartrita_process_max_fds", "The most that it may have open.", "worker"),
            Gauge(
                "cartrita_process_start_time_seconds", "When it began, since the epoch.", "worker"
            ),
        ):
            self._kept(family)

    def named(self, name: str) -> Family | None:
        """The family of this name."""
        return next((one for one in self._all if one.name == name), None)

    def _kept(self, family: F) -> F:
        self._all.append(family)
        return family
