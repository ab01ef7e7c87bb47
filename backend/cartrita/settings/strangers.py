"""Names that nobody reads: ours refuse to start, those of others in a `.env` are mentioned."""

from collections.abc import Mapping

from cartrita.settings import resolution, vendors
from cartrita.settings.problems import Origin, nearest, no_such
from cartrita.settings.sources import CONFIG, ENTRIES, Found

_PREFIX = "CARTRITA_"


def look(found: Found, environ: Mapping[str, str]) -> None:
    """Add a problem for each unknown CARTRITA_* name and a warning for the rest of the `.env`."""
    known = {entry.env for entry in ENTRIES} | {CONFIG} | vendors.variable_names()
    known |= set(resolution.variable_names(found))
    for where, names in ((".env", found.dotenv), ("environment", environ)):
        for name in names:
            if name.startswith(_PREFIX) and name not in known:
                found.problems.append(Origin(name, where).says(no_such(name, sorted(known))))
    foreign = [name for name in found.dotenv if name not in known and not name.startswith(_PREFIX)]
    for name in foreign:
        near = nearest(name, sorted(known))
        text = f"it is ignored; did you mean {near}?" if near else "it is ignored, nothing reads it"
        found.warnings.append(Origin(name, ".env").says(text))
