"""The Python client, written from the contract."""
