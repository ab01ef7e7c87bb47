"""Checks the place of files' bytes: one is written, read and removed."""

from collections.abc import AsyncIterator
from uuid import uuid4

from cartrita.assembly.files import file_folder, open_blobs
from cartrita.cli.doctor.findings import Finding, ok, problem
from cartrita.domain.errors import CartritaError
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings

_CONTENT = b"cartrita doctor"


async def examine_store(settings: Settings) -> list[Finding]:
    """What is found of the configured directory or bucket."""
    folder = file_folder(settings)
    where = settings.files.storage if folder is None else folder
    if folder is not None and not folder.exists() and settings.files.storage is None:
        return [ok("storage", f"{folder} is made when it is needed.")]
    name = f"doctor-{uuid4().hex}"
    fix = "See to CARTRITA_FILES_STORAGE, its rights, its room and its keys."
    try:
        blobs = open_blobs(settings)
        await blobs.put(name, _pieces())
        try:
            async with blobs.read(name) as pieces:
                found = b"".join([piece async for piece in pieces])
        finally:
            await blobs.remove([name])
    except (CartritaError, OperatorError) as error:
        return [problem("storage", f"{where} cannot be used: {error}", fix)]
    if found != _CONTENT:
        return [problem("storage", f"{where} gave back other bytes than it was given.", fix)]
    return [ok("storage", f"{where} takes, gives and removes files.")]


async def _pieces() -> AsyncIterator[bytes]:
    yield _CONTENT
