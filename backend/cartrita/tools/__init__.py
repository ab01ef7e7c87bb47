"""Tools: what agents may do beside writing; they know ports, and no HTTP and no SQL."""
