"""The contract as values, from which the clients in each language are written."""
