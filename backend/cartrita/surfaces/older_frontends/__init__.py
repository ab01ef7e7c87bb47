"""Serves the browser client that was written against the original backend, as it is."""
