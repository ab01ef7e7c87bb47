"""Checks the invariants against the clients' records and the database alone."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from tests.harness.invariants import logs, readers, runs
from tests.harness.observations import Observations, Violation

Invariant = Callable[[Observations], Iterator[tuple[str, str]]]

INVARIANTS: Mapping[str, Invariant] = {
    "I1": logs.i1_received_is_logged,
    "I2": logs.i2_in_order,
    "I3": logs.i3_message_is_the_fold,
    "I4": logs.i4_one_terminal_event,
    "I5": runs.i5_no_orphaned_runs,
    "I6": runs.i6_one_at_a_time,
    "I7": runs.i7_idempotent_requests,
    "I8": runs.i8_done_once,
    "I9": runs.i9_cancel_ends_the_run,
    "I10": logs.i10_resumes_exactly,
    "I11": logs.i11_log_is_immutable,
    "I12": readers.i12_stalled_reader_is_cheap,
    "I13": readers.i13_no_silence,
    "I14": readers.i14_owner_isolation,
    "I15": readers.i15_every_reader_gets_the_end,
    "28b": readers.reconnects_are_accepted,
    "text": readers.stored_text_is_the_models,
}
"""I1-I15 of docs/run-log.md, accepted reconnects, and that stored text is the model's."""


def violations(observed: Observations) -> list[Violation]:
    """Everything that is wrong."""
    return [
        Violation(name, subject, detail)
        for name, invariant in INVARIANTS.items()
        for subject, detail in invariant(observed)
    ]


def assert_holds(observed: Observations) -> None:
    """Fail with every violation (of each kind the first few) and how many there are."""
    found = violations(observed)
    if not found:
        return
    counts = Counter(violation.invariant for violation in found)
    shown: list[str] = []
    for name in counts:
        shown += [str(v) for v in found if v.invariant == name][:5]
    raise AssertionError(f"{dict(counts)} violations:\n" + "\n".join(shown))
