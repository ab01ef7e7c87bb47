"""The model that is always there: it answers without any provider, and says what it is."""
