"""Live conversations: audio in, turns, answers, and speech while they are being written."""
