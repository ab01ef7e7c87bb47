"""The error of using a desktop that does not run yet."""

from cartrita.domain.errors import Conflict


class DesktopStarting(Conflict):
    """It can be used in a moment, or has ended then."""

    default_code = "desktop_starting"
    retryable = True
