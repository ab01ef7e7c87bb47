"""Files that are nowhere on the disk, in which a process can seek."""

import os
import tempfile
from typing import BinaryIO, cast


def memory_file(content: bytes = b"") -> BinaryIO:
    """A file with this content, at its beginning; it is gone when nobody has it open any more.

    Where the system has no such files, it is an unlinked one among temporary files.
    """
    file = _memory() if hasattr(os, "memfd_create") else cast("BinaryIO", _unlinked())
    file.write(content)
    file.seek(0)
    return file


def _memory() -> BinaryIO:
    return os.fdopen(os.memfd_create("cartrita", os.MFD_CLOEXEC), "w+b")


_unlinked = tempfile.TemporaryFile
