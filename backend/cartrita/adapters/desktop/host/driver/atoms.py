"""Lists of atoms that programs have set as properties, of which no more than a little is read."""

from typing import Any, Final, cast

from Xlib import Xatom
from Xlib.xobject.drawable import Window

_MOST: Final = 1024
"""So many are 4 kB: openbox lists 80."""
_ATOM_BITS: Final = 32


def listed(window: Window, name: int) -> frozenset[int]:
    """The first of those in this property; none where it is no list of atoms, whatever it is."""
    found = cast("Any", window.get_property(name, Xatom.ATOM, 0, _MOST))
    if found is None or found.format != _ATOM_BITS:
        return frozenset()
    return frozenset(found.value)
