"""Files: how they arrive, are read, and are told to models."""
