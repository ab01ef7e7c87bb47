"""The keys by which providers and services are called, stored and tested."""
