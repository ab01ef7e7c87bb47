"""Ports: the Protocols through which use cases reach databases and providers.

Use cases may not import adapters, so they depend on these; adapters implement them. Most ports have
one implementation, which is tested on a real PostgreSQL.
"""
