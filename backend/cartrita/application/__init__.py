"""Use cases, one class for each noun."""
