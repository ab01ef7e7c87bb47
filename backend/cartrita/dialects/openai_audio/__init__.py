"""OpenAI's audio API: transcriptions and speech, as they are asked for and as they are answered."""
