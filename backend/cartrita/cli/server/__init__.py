"""The processes of a running server: the parent, its workers, and their messages."""
