"""What all replicas share in a Valkey server, as long as it answers in time."""
