"""The run log in PostgreSQL: group commits, leases that fence writers, and readers with cursors.

Lock order: conversation, run, message. Code that has to lock rows in another order, or that learns
the conversation only from the run, uses SKIP LOCKED instead of waiting.
"""
