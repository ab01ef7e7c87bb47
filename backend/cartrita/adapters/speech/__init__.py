"""Speech services and local engines: what transcribes recordings, and what speaks texts."""
