"""Servers of tools for the tests of their client: one by the official SDK, and bad ones."""
