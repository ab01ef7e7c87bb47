"""Example values for JSON Schemas, which the offline model sends as arguments and JSON answers."""
