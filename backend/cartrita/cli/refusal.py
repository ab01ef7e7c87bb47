"""Why a command was not carried out."""


class Refusal(Exception):
    """The text is one sentence for the server's owner."""
