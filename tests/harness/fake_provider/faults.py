"""All faults of an answer; in a script each is an object whose `kind` names it."""

from tests.harness.fake_provider.blemishes import ErrorEvent, HugeLine, Junk, Lines, Odd, Trickle
from tests.harness.fake_provider.interruptions import CutOff, HangBeforeHeaders, NoDone, Stall
from tests.harness.fake_provider.substitutes import Gzip, Headers, Html, Instead, Redirect

Fault = (
    Instead | Html | Redirect | Headers | HangBeforeHeaders | Stall | CutOff | NoDone | ErrorEvent
    | Junk | Odd | HugeLine | Lines | Gzip | Trickle
)  # fmt: skip
