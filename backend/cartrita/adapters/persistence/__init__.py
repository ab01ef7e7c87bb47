"""Conversations, messages, keys and search in Postgres."""
