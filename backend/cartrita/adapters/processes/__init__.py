"""Processes of our own that work on what strangers wrote: their bounds, and their end."""
