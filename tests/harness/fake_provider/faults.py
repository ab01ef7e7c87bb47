"""All faults of an answer; in a script each is an object whose `kind` names it."""

from tests.harness.fake_provider.malformed_output import (
    ErrorEvent,
    HugeLine,
    InvalidText,
    Junk,
    Lines,
    Trickle,
)
from tests.harness.fake_provider.replaced_responses import (
    Gzip,
    Headers,
    Html,
    Redirect,
    ReplacedResponse,
)
from tests.harness.fake_provider.timing_faults import CutOff, HangBeforeHeaders, NoDone, Stall

Fault = (
    ReplacedResponse | Html | Redirect | Headers | HangBeforeHeaders | Stall | CutOff | NoDone
    | ErrorEvent | Junk | InvalidText | HugeLine | Lines | Gzip | Trickle
)  # fmt: skip
