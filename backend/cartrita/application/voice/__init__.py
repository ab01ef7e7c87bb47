"""Use cases of speech: transcribing, speaking, answering what was said, and live conversations."""
