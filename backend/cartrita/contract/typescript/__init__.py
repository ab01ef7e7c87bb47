"""Writes the generated part of the TypeScript client."""
