"""Deepgram's voices, each of which is a model that speaks one language."""

from collections.abc import Mapping
from typing import Final

FAMILY: Final = "aura-2"
"""The models of its voices, without a name and a language."""
_NAMES: Final[Mapping[str, str]] = {
    "en": (
        "thalia amalthea andromeda apollo arcas aries asteria athena atlas aurora "
        "callista cora cordelia delia draco electra harmonia helena hera hermes hyperion "
        "iris janus juno jupiter luna mars minerva neptune odysseus ophelia orion orpheus "
        "pandora phoebe pluto saturn selene theia vesta zeus"
    ),
    "es": (
        "agustina alvaro antonia aquila carina celeste diana estrella gloria javier "
        "luciano nestor olivia selena silvia sirio valerio"
    ),
    "de": "aurelia elara fabian julius kara lara viktoria",
    "nl": "beatrix cornelia daphne hestia lars leda rhea roman sander",
    "fr": "agathe hector",
    "it": "cesare cinzia demetra dionisio elio flavio livia maia melia",
    "ja": "ama ebisu fujin izanami uzume",
}
"""By language, those of deepgram-sdk 7.17; there may be others by now, by their whole names."""
BY_NAME: Final[Mapping[str, str]] = {
    name: f"{FAMILY}-{name}-{language}"
    for language, names in _NAMES.items()
    for name in names.split()
}
"""The voices by their short names."""
VOICES: Final = tuple(BY_NAME.values())
