"""The name of the machine on which desktops run: it is kept with the data, in which they are found.

The name of the host will not do: a container that is made again has another.
"""

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

_FILE: Final = "machine"


def machine_of(data: Path) -> str:
    """The name that was given to this directory, or a new one. Raises OSError."""
    place = data / _FILE
    with suppress(FileNotFoundError):
        return place.read_text("ascii")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = data / f"{_FILE}-{uuid.uuid4().hex}"
    draft.write_text(uuid.uuid4().hex, "ascii")
    with suppress(FileExistsError):  # another worker was faster
        os.link(draft, place)
    draft.unlink()
    return place.read_text("ascii")
