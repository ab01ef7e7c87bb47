"""The built-in offline provider, which answers without any model server and says that it does."""
