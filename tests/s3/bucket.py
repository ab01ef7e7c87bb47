"""The bucket of the tests: made, listed, and its server waited for."""

import re
import time
import urllib.error
import urllib.request

SECRET = "canary-of-the-bucket"
_BUCKET = "files"
_WATCHDOG_S = 60.0
_PAUSE_S = 0.1


def wait_for_bucket(endpoint: str) -> None:
    """Make the bucket as soon as its server answers."""
    latest = time.monotonic() + _WATCHDOG_S
    while True:
        try:
            asked = urllib.request.Request(f"{endpoint}/{_BUCKET}", method="PUT")
            urllib.request.urlopen(asked).close()
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > latest:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def names_in(endpoint: str) -> list[str]:
    """What is in the bucket."""
    with urllib.request.urlopen(f"{endpoint}/{_BUCKET}?list-type=2") as answer:
        return re.findall(r"<Key>([^<]*)</Key>", answer.read().decode())
