"""Why a command was not carried out."""


class CommandError(Exception):
    """Shown as it is: one sentence that the server's owner can act on."""
