"""The run log in Postgres: written in groups, fenced by leases, read by cursors.

Rows are locked in this order: conversation, run, message. Whoever has to take them otherwise, or
cannot know the conversation before the run, skips what is locked instead of waiting for it.
"""
