"""Opens the place where the bytes of files are kept, as it is configured."""

from datetime import timedelta
from pathlib import Path

import msgspec
from obstore.store import LocalStore, S3Store

from cartrita.adapters.blobs.blobs import Blobs
from cartrita.kit.operator_error import OperatorError
from cartrita.kit.secret import Secret

_TIMEOUT = timedelta(seconds=30)


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket of S3, or of a server that speaks its protocol at `endpoint`.

    Without a key its credentials come from the machine's role. A request that fails is tried again
    so often.
    """

    name: str
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: Secret | None = None
    retries: int = 3


def open_directory(folder: Path) -> Blobs:
    """Blobs in a directory, which is made if it is not there. Raises OperatorError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = LocalStore(folder)
    except OSError as error:
        raise OperatorError(
            f"Files cannot be kept in {folder}: {error.strerror or error}. Correct "
            "CARTRITA_FILES_STORAGE, or see to the directory."
        ) from None
    return Blobs(store, folder=folder)


def open_bucket(bucket: Bucket) -> Blobs:
    """Blobs in a bucket, which is not looked at before it is used."""
    secret = bucket.secret_access_key
    given = {
        "region": bucket.region or "us-east-1",
        "endpoint": bucket.endpoint,
        "access_key_id": bucket.access_key_id,
        "secret_access_key": None if secret is None else secret.reveal(),
    }
    http = bucket.endpoint is not None and bucket.endpoint.startswith("http:")
    store = S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        config={name: value for name, value in given.items() if value is not None},  # pyright: ignore[reportArgumentType] - its keys are those of S3Config
        client_options={"timeout": _TIMEOUT, "allow_http": http},
        retry_config={"max_retries": bucket.retries, "retry_timeout": _TIMEOUT},
    )
    return Blobs(store)
