"""What the surfaces of the vendors have in common, which are below `/v1`."""
