"""The run log in Postgres: written in groups, fenced by leases, read by cursors."""
