"""What all WebSockets here have in common: handshake, frames about runs, and their end."""
