"""Runs: how they come about, and the work that they are."""
