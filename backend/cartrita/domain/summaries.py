"""Summaries: what a model is given in place of the beginning of a long conversation."""

import msgspec

from cartrita.domain.ids import MessageId


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Stands for the message `message_id` and all before it on its branch.

    `model` has written it, as `provider/model`.
    """

    message_id: MessageId
    text: str
    model: str
