"""The native HTTP surface under /api."""
